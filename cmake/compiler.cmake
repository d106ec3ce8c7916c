# Flags of every translation unit. Release is the default build type; NDEBUG is set there.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
    message(FATAL_ERROR "Tenon's native library needs g++ 12 or newer, found ${CMAKE_CXX_COMPILER_ID} "
                        "${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER}). Debian/Ubuntu: apt-get install g++; "
                        "another compiler: set CXX and CC.")
endif()

add_compile_options(-Wall -Wextra -Werror)
# Only the code generation comes from -fopenmp: the runtime linked is the one that comes with oneDNN (oneDNN.cmake),
# so that there is one thread pool in the process.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)

if(TENON_SANITIZE)
    add_compile_options(-O1 -UNDEBUG -fsanitize=${TENON_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    add_link_options(-fsanitize=${TENON_SANITIZE})
endif()
