# cmake -DNM=nm -DNAMESPACE=tenon::cpu::avx2 -DOBJECTS=a.o;b.o -P check_weak_symbols.cmake
# Fails when an object has a weak symbol outside the namespace: the linker may keep that copy, compiled with the wide
# instruction set, for callers that run on older processors.
cmake_minimum_required(VERSION 3.25)
foreach(object IN LISTS OBJECTS)
    execute_process(COMMAND "${NM}" -C "${object}" OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REPLACE ";" "," symbols "${symbols}")
    string(REPLACE "\n" ";" symbols "${symbols}")
    foreach(line IN LISTS symbols)
        if(line MATCHES "^[0-9a-f]* +[WVu] (.*)$")
            set(symbol "${CMAKE_MATCH_1}")
            string(FIND "${symbol}" "${NAMESPACE}::" inside)
            if(inside EQUAL -1)
                message(SEND_ERROR "${object}: weak symbol outside ${NAMESPACE}: ${symbol}")
            endif()
        endif()
    endforeach()
endforeach()
