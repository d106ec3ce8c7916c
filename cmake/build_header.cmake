# Writes tenon_build.h, only when its content changes: version and commit of this build.
cmake_minimum_required(VERSION 3.25)
set(commit "unknown")
find_program(GIT git)
if(GIT)
    execute_process(COMMAND "${GIT}" -C "${TENON_ROOT}" rev-parse --short=12 HEAD
                    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
        set(commit "${head}")
    endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#pragma once
#define TENON_BUILD_VERSION \"@TENON_VERSION@\"
#define TENON_BUILD_COMMIT \"@commit@\"
" @ONLY)
