# What Maven runs: configures once, then builds the targets incrementally with all processors.
#   cmake -DBUILD_DIR=... [-DTARGETS="bundle;all"] [-DSETTINGS="-DX=Y;..."] [-DJOBS=N] -P build.cmake
cmake_minimum_required(VERSION 3.25)
if(NOT JOBS)
    cmake_host_system_information(RESULT JOBS QUERY NUMBER_OF_LOGICAL_CORES)
endif()

if(NOT EXISTS "${BUILD_DIR}/CMakeCache.txt")
    find_program(NINJA NAMES ninja ninja-build)
    if(NINJA)
        set(generator Ninja)
    else()
        set(generator "Unix Makefiles")
    endif()
    set(generator_arguments -G "${generator}")
endif()

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE failed)
    if(failed)
        list(JOIN ARGN " " line)
        message(FATAL_ERROR "failed: ${line}")
    endif()
endfunction()

run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${BUILD_DIR}" ${generator_arguments} --log-level=NOTICE
    ${SETTINGS})
foreach(target IN LISTS TARGETS)
    run("${CMAKE_COMMAND}" --build "${BUILD_DIR}" --target ${target} --parallel ${JOBS})
endforeach()
