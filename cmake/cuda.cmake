# tenon_cuda_kernel(<family> [EXAMPLES] [<other> ...])  declares the CUDA kernel family in kernels/cuda/<family>/, whose
# sources may include headers of the other families; EXAMPLES are tested and reported as all are, but not shipped:
#
#   <family>.cpp ...   launchers: host code without CUDA, linked into libtenon_cuda.so
#   *.cu               kernels; compiled twice: by nvcc into <family>.fatbin (where there is an nvcc), and by the host
#                      compiler with the SIMT shim (kernels/cuda/simt) into the object library cuda_host_<family>
#   *_test.cpp         each becomes an executable and a ctest of the same name, which runs the kernels under the shim
#
# Includes are relative to kernels/cuda/.
# Targets: cuda_bundle (libtenon_cuda.so and the fatbins), cuda_tests (what TENON_SANITIZE=thread builds).

set(TENON_CUDA_DIR "${TENON_ROOT}/kernels/cuda")
# Machine code for these, and PTX of the oldest for every GPU that comes later.
set(TENON_CUDA_ARCHITECTURES 80 90 90a 100 120 CACHE STRING "GPU architectures of the fatbins")
find_program(TENON_NVCC nvcc HINTS "$ENV{CUDA_HOME}/bin" /usr/local/cuda/bin DOC "CUDA compiler")
set(TENON_CUDA_FATBINS OFF)
if(NOT TENON_NVCC)
    message(NOTICE "CUDA kernels: no nvcc found (PATH, CUDA_HOME, /usr/local/cuda), so they are not compiled for GPUs; "
                   "they are still tested on the host")
else()
    # 12.8 is the first that knows all of these architectures.
    execute_process(COMMAND "${TENON_NVCC}" --version OUTPUT_VARIABLE nvcc_version ERROR_QUIET)
    string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" nvcc_version "${nvcc_version}")
    if(CMAKE_MATCH_1 VERSION_LESS 12.8)
        message(NOTICE "CUDA kernels: ${TENON_NVCC} is of CUDA \"${CMAKE_MATCH_1}\", 12.8 or newer is needed, so they are "
                       "not compiled for GPUs; they are still tested on the host")
    else()
        set(TENON_CUDA_FATBINS ON)
    endif()
endif()

add_library(tenon_cuda_includes INTERFACE)
target_include_directories(tenon_cuda_includes INTERFACE "${TENON_CUDA_DIR}")

# The shim itself. ThreadSanitizer must not see its bookkeeping: it tells it of fibers and barriers instead.
add_library(tenon_simt OBJECT EXCLUDE_FROM_ALL "${TENON_CUDA_DIR}/simt/simt.cpp")
target_link_libraries(tenon_simt PUBLIC tenon_cuda_includes)
if(TENON_SANITIZE MATCHES thread)
    target_compile_definitions(tenon_simt PRIVATE TENON_SIMT_TSAN)
    target_compile_options(tenon_simt PRIVATE -fno-sanitize=thread)
endif()

add_custom_target(cuda_tests)

# Kernels and tests on the host. Optimising more costs more time than it saves, and g++ 12 then takes values that are only
# read where they were loaded for uninitialised ones.
set(TENON_CUDA_HOST_OPTIONS -O1 -Wno-maybe-uninitialized -Wno-restrict)

# tenon_cuda_test(<source> [<family>])  an executable of the same name with the shim, and the family's kernels and
# launchers.
function(tenon_cuda_test source)
    get_filename_component(name "${source}" NAME_WE)
    set(target cuda_${name})
    add_executable(${target} "${source}")
    target_link_libraries(${target} PRIVATE tenon_simt)
    target_compile_options(${target} PRIVATE ${TENON_CUDA_HOST_OPTIONS})
    foreach(family IN LISTS ARGN)
        target_link_libraries(${target} PRIVATE cuda_host_${family} cuda_launch_${family})
    endforeach()
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES LABELS "cuda_host" TIMEOUT 300)
    if(TENON_SANITIZE)
        set_tests_properties(${target} PROPERTIES ENVIRONMENT
            "UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1")
    endif()
    add_dependencies(cuda_tests ${target})
endfunction()

function(tenon_cuda_kernel family)
    cmake_parse_arguments(PARSE_ARGV 1 arg "EXAMPLES" "" "")
    set(folder "${TENON_CUDA_DIR}/${family}")
    file(GLOB kernels CONFIGURE_DEPENDS "${folder}/*.cu")
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE "${TENON_CUDA_DIR}" "${folder}/*.h")
    foreach(header IN LISTS headers)
        file(STRINGS "${TENON_CUDA_DIR}/${header}" contract REGEX "^extern \"C\"")
        if(contract)
            set_property(GLOBAL APPEND PROPERTY TENON_CUDA_CONTRACTS "${header}")
        endif()
    endforeach()
    file(GLOB launchers CONFIGURE_DEPENDS "${folder}/*.cpp")
    file(GLOB tests CONFIGURE_DEPENDS "${folder}/*_test.cpp")
    list(REMOVE_ITEM launchers ${tests})

    add_library(cuda_launch_${family} OBJECT ${launchers})
    target_link_libraries(cuda_launch_${family} PUBLIC tenon_cuda_includes)
    if(NOT arg_EXAMPLES)
        set_property(GLOBAL APPEND PROPERTY TENON_CUDA_LAUNCHERS cuda_launch_${family})
    endif()

    set_source_files_properties(${kernels} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-xc++")
    add_library(cuda_host_${family} OBJECT EXCLUDE_FROM_ALL ${kernels})
    target_link_libraries(cuda_host_${family} PUBLIC tenon_cuda_includes)
    target_compile_options(cuda_host_${family} PRIVATE ${TENON_CUDA_HOST_OPTIONS})

    if(BUILD_TESTING)
        foreach(test IN LISTS tests)
            tenon_cuda_test("${test}" ${family})
        endforeach()
    endif()

    if(TENON_CUDA_FATBINS)
        tenon_cuda_fatbin(${family} "${arg_UNPARSED_ARGUMENTS}" ${kernels})
        if(NOT arg_EXAMPLES)
            set_property(GLOBAL APPEND PROPERTY TENON_CUDA_FATBINS "${CMAKE_BINARY_DIR}/cuda/${family}.fatbin")
        endif()
    endif()
endfunction()

# <build>/cuda/<family>.fatbin and <family>.csv, the compiler's report of registers, spills and shared memory.
function(tenon_cuda_fatbin family includes)
    set(out "${CMAKE_BINARY_DIR}/cuda")
    file(GLOB headers CONFIGURE_DEPENDS "${TENON_CUDA_DIR}/${family}/*.cuh" "${TENON_CUDA_DIR}/${family}/*.h"
                                        "${TENON_CUDA_DIR}/common/*")
    foreach(other IN LISTS includes)
        file(GLOB more CONFIGURE_DEPENDS "${TENON_CUDA_DIR}/${other}/*.cuh" "${TENON_CUDA_DIR}/${other}/*.h")
        list(APPEND headers ${more})
    endforeach()
    add_custom_command(OUTPUT "${out}/${family}.fatbin" "${out}/${family}.csv"
        COMMAND "${CMAKE_COMMAND}" "-DNVCC=${TENON_NVCC}" "-DFAMILY=${family}" "-DSOURCES=${ARGN}" "-DOUT=${out}"
                "-DINCLUDES=${TENON_CUDA_DIR}" "-DARCHITECTURES=${TENON_CUDA_ARCHITECTURES}"
                "-DHOST_COMPILER=${CMAKE_CXX_COMPILER}" -P "${TENON_ROOT}/cmake/cuda_fatbin.cmake"
        DEPENDS ${ARGN} ${headers} "${TENON_ROOT}/cmake/cuda_fatbin.cmake"
        COMMENT "Compiling ${family}.fatbin" VERBATIM)
    set_property(GLOBAL APPEND PROPERTY TENON_CUDA_REPORTS "${out}/${family}.csv")
endfunction()

# The test of gpu/driver.cpp: with simt/libcuda.cpp as libcuda.so.1, which runs the kernels under the shim. It needs
# cuda.h; nvcc knows where that is. Not for ThreadSanitizer: the families' tests are.
function(tenon_cuda_driver_test)
    file(WRITE "${CMAKE_BINARY_DIR}/cuda_h.cpp" "#include <cuda.h>\n")
    execute_process(COMMAND "${TENON_NVCC}" -ccbin "${CMAKE_CXX_COMPILER}" -M "${CMAKE_BINARY_DIR}/cuda_h.cpp"
                    OUTPUT_VARIABLE needs ERROR_QUIET)
    if(NOT needs MATCHES "([^ \n]+)/cuda\\.h")
        message(NOTICE "CUDA kernels: nvcc finds no cuda.h, so gpu/driver.cpp is not tested")
        return()
    endif()
    set(cuda_include "${CMAKE_MATCH_1}")
    set(families attention reduce)

    add_library(cuda_test_libcuda SHARED EXCLUDE_FROM_ALL "${TENON_CUDA_DIR}/simt/libcuda.cpp")
    set_target_properties(cuda_test_libcuda PROPERTIES OUTPUT_NAME cuda SUFFIX ".so.1"
                          LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/cuda_test_libcuda")
    target_link_libraries(cuda_test_libcuda PRIVATE tenon_simt)
    add_executable(cuda_driver_test "${TENON_CUDA_DIR}/gpu/driver.cpp" "${TENON_CUDA_DIR}/gpu/driver_test.cpp")
    target_link_libraries(cuda_driver_test PRIVATE tenon_cuda_includes ${CMAKE_DL_LIBS})
    foreach(family IN LISTS families)
        target_link_libraries(cuda_test_libcuda PRIVATE cuda_host_${family})
        target_link_libraries(cuda_driver_test PRIVATE cuda_launch_${family})
    endforeach()
    foreach(target cuda_test_libcuda cuda_driver_test)
        target_include_directories(${target} SYSTEM PRIVATE "${cuda_include}")
        target_compile_options(${target} PRIVATE ${TENON_CUDA_HOST_OPTIONS})
    endforeach()
    add_dependencies(cuda_driver_test cuda_test_libcuda)
    add_dependencies(cuda_tests cuda_driver_test)
    add_test(NAME cuda_driver_test COMMAND cuda_driver_test)
    # A driver of this machine must not come first.
    set_tests_properties(cuda_driver_test PROPERTIES LABELS "cuda_host" TIMEOUT 300
        ENVIRONMENT_MODIFICATION "LD_LIBRARY_PATH=path_list_prepend:${CMAKE_BINARY_DIR}/cuda_test_libcuda")
endfunction()

# The tests of what is neither kernel nor launcher and needs no sanitizer: the GPU script's handling of its child
# processes, and that cuda_fatbin.cmake refuses what the assembler remarks on.
function(tenon_cuda_script_tests)
    find_package(Python3 QUIET COMPONENTS Interpreter)
    if(Python3_FOUND)
        add_test(NAME cuda_supervise_test
                 COMMAND Python3::Interpreter -B "${TENON_CUDA_DIR}/gpu/supervise_test.py")
        set_tests_properties(cuda_supervise_test PROPERTIES LABELS null TIMEOUT 120)
    endif()
    if(TENON_CUDA_FATBINS)
        add_test(NAME cuda_remark_test
                 COMMAND "${CMAKE_COMMAND}" "-DNVCC=${TENON_NVCC}" -DFAMILY=remark -DARCHITECTURES=90a
                         "-DSOURCES=${TENON_ROOT}/cmake/cuda_remark_test.cu" "-DOUT=${CMAKE_BINARY_DIR}/cuda_remark_test"
                         "-DINCLUDES=${TENON_CUDA_DIR}" "-DHOST_COMPILER=${CMAKE_CXX_COMPILER}"
                         -P "${TENON_ROOT}/cmake/cuda_fatbin.cmake")
        set_tests_properties(cuda_remark_test PROPERTIES LABELS null TIMEOUT 120
            PASS_REGULAR_EXPRESSION "gives up what remark is built on")
    endif()
endfunction()

# After all families: the libraries and the bundle.
function(tenon_cuda_finish)
    if(BUILD_TESTING AND TENON_CUDA_FATBINS AND NOT TENON_SANITIZE MATCHES thread)
        tenon_cuda_driver_test()
    endif()
    if(BUILD_TESTING AND NOT TENON_SANITIZE)
        tenon_cuda_script_tests()
    endif()
    get_property(launchers GLOBAL PROPERTY TENON_CUDA_LAUNCHERS)
    get_property(fatbins GLOBAL PROPERTY TENON_CUDA_FATBINS)
    get_property(reports GLOBAL PROPERTY TENON_CUDA_REPORTS)

    # The contracts are plain C.
    if(BUILD_TESTING)
        get_property(contracts GLOBAL PROPERTY TENON_CUDA_CONTRACTS)
        list(TRANSFORM contracts REPLACE "(.+)" "#include \"\\1\"\n")
        list(JOIN contracts "" includes)
        file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/cuda_contracts.c" CONTENT "${includes}" @ONLY)
        add_library(tenon_cuda_c_header_check OBJECT "${CMAKE_BINARY_DIR}/cuda_contracts.c")
        target_link_libraries(tenon_cuda_c_header_check PRIVATE tenon_cuda_includes)
        target_compile_options(tenon_cuda_c_header_check PRIVATE -std=c11 -pedantic-errors)
    endif()

    add_library(tenon_cuda SHARED)
    target_link_libraries(tenon_cuda PRIVATE ${launchers})
    set_target_properties(tenon_cuda PROPERTIES LINKER_LANGUAGE CXX)

    set(bundle "${TENON_BUNDLE_DIR}/dev/tenon/native/${TENON_PLATFORM}")
    set(files "${bundle}/libtenon_cuda.so")
    add_custom_command(OUTPUT "${bundle}/libtenon_cuda.so"
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${bundle}"
        COMMAND "${CMAKE_STRIP}" --strip-unneeded -o "${bundle}/libtenon_cuda.so.new" $<TARGET_FILE:tenon_cuda>
        COMMAND "${CMAKE_COMMAND}" -E rename "${bundle}/libtenon_cuda.so.new" "${bundle}/libtenon_cuda.so"
        DEPENDS tenon_cuda COMMENT "Stripping libtenon_cuda.so" VERBATIM)
    foreach(file IN LISTS fatbins)
        get_filename_component(name "${file}" NAME)
        add_custom_command(OUTPUT "${bundle}/cuda/${name}"
            COMMAND "${CMAKE_COMMAND}" -E make_directory "${bundle}/cuda"
            COMMAND "${CMAKE_COMMAND}" -E copy "${file}" "${bundle}/cuda/${name}"
            DEPENDS "${file}" VERBATIM)
        list(APPEND files "${bundle}/cuda/${name}")
    endforeach()
    if(reports)
        add_custom_command(OUTPUT "${bundle}/cuda/kernels.csv"
            COMMAND "${CMAKE_COMMAND}" "-DREPORTS=${reports}" "-DOUTPUT=${bundle}/cuda/kernels.csv"
                    -P "${TENON_ROOT}/cmake/cuda_report.cmake"
            DEPENDS ${reports} "${TENON_ROOT}/cmake/cuda_report.cmake" COMMENT "Collecting kernels.csv" VERBATIM)
        list(APPEND files "${bundle}/cuda/kernels.csv")
    endif()
    add_custom_target(cuda_bundle DEPENDS ${files})

    # What the compiler made of the kernels. Needs the bundle, so not part of the sanitizer builds.
    if(BUILD_TESTING AND reports AND NOT TENON_SANITIZE)
        add_test(NAME cuda_kernel_report COMMAND "${CMAKE_COMMAND}" "-DREPORT=${bundle}/cuda/kernels.csv"
                 "-DEXPECTED=${TENON_CUDA_DIR}/spills_allowed.txt" "-DARCHITECTURES=${TENON_CUDA_ARCHITECTURES}"
                 -P "${TENON_ROOT}/cmake/check_cuda_report.cmake")
        set_tests_properties(cuda_kernel_report PROPERTIES LABELS null SKIP_REGULAR_EXPRESSION "^skipped")
    endif()
endfunction()
