# cmake -DNVCC=... -DFAMILY=norm -DSOURCES=a.cu;b.cu -DOUT=dir -DINCLUDES=dir -DARCHITECTURES=80;90 -P cuda_fatbin.cmake
# Compiles a family's sources as one into OUT/FAMILY.fatbin, and turns the assembler's report into OUT/FAMILY.csv:
#   kernel,architecture,registers,spill_store_bytes,spill_load_bytes,stack_bytes,shared_bytes
cmake_minimum_required(VERSION 3.25)
file(MAKE_DIRECTORY "${OUT}")
set(all "")
foreach(source IN LISTS SOURCES)
    string(APPEND all "#include \"${source}\"\n")
endforeach()
file(CONFIGURE OUTPUT "${OUT}/${FAMILY}.cu" CONTENT "${all}" @ONLY)

list(GET ARCHITECTURES 0 oldest)
set(targets "-gencode=arch=compute_${oldest},code=compute_${oldest}")
foreach(architecture IN LISTS ARCHITECTURES)
    list(APPEND targets "-gencode=arch=compute_${architecture},code=sm_${architecture}")
endforeach()
execute_process(
    COMMAND "${NVCC}" -std=c++17 -O3 "-ccbin=${HOST_COMPILER}" --fatbin --compress-mode=size -Werror=all-warnings
            "-I${INCLUDES}" -Xptxas -v ${targets} -o "${OUT}/${FAMILY}.fatbin" "${OUT}/${FAMILY}.cu"
    RESULT_VARIABLE failed OUTPUT_VARIABLE output ERROR_VARIABLE report)
if(failed)
    message(FATAL_ERROR "nvcc cannot compile ${FAMILY}:\n${output}\n${report}")
endif()

# The assembler remarks, without a warning, that it left setmaxnreg out (C7507, C7508), serialised wgmma (C7510 and those
# after it) or added waits and fences to it (C7517, C7519). CUDA 12.9 to 13.3 word these alike up to the number.
if(report MATCHES "[^\n]*\\(C75[0-9][0-9]\\)[^\n]*")
    message(FATAL_ERROR "the assembler gives up what ${FAMILY} is built on: ${CMAKE_MATCH_0}")
endif()

set(csv "")
set(kernel "")
string(REPLACE ";" "," report "${report}")
string(REPLACE "\n" ";" report "${report}")
foreach(line IN LISTS report)
    if(line MATCHES "Compiling entry function '([^']+)' for 'sm_([0-9a-z]+)'")
        set(kernel "${CMAKE_MATCH_1},${CMAKE_MATCH_2}")
    elseif(line MATCHES "([0-9]+) bytes stack frame, ([0-9]+) bytes spill stores, ([0-9]+) bytes spill loads")
        set(stack ${CMAKE_MATCH_1})
        set(spills "${CMAKE_MATCH_2},${CMAKE_MATCH_3}")
    elseif(kernel AND line MATCHES "Used ([0-9]+) registers")
        set(registers ${CMAKE_MATCH_1})
        set(shared 0)
        if(line MATCHES "([0-9]+) bytes smem")
            set(shared ${CMAKE_MATCH_1})
        endif()
        string(APPEND csv "${kernel},${registers},${spills},${stack},${shared}\n")
        set(kernel "")
    endif()
endforeach()
if(csv STREQUAL "")
    message(FATAL_ERROR "no kernel in the assembler's report of ${FAMILY}")
endif()
file(WRITE "${OUT}/${FAMILY}.csv" "${csv}")
