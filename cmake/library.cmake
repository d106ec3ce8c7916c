# libtenon.so from native/src and the kernels' objects, and the same objects as tenon_static for tests.
file(GLOB TENON_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/*.cpp" "${CMAKE_SOURCE_DIR}/src/*/*.cpp")
if(NOT TENON_SOURCES)
    message(FATAL_ERROR "no source in ${CMAKE_SOURCE_DIR}/src")
endif()

# The commit may change without CMake being run again, so it is looked up at each build.
add_custom_target(tenon_build_header
    COMMAND "${CMAKE_COMMAND}" "-DTENON_ROOT=${TENON_ROOT}" "-DTENON_VERSION=${TENON_VERSION}"
            "-DOUTPUT=${CMAKE_BINARY_DIR}/generated/tenon_build.h" -P "${TENON_ROOT}/cmake/build_header.cmake"
    BYPRODUCTS "${CMAKE_BINARY_DIR}/generated/tenon_build.h"
    COMMENT "Checking the commit" VERBATIM)

add_library(tenon_runtime OBJECT ${TENON_SOURCES})
target_link_libraries(tenon_runtime PRIVATE tenon_includes)
add_dependencies(tenon_runtime tenon_build_header)
set_property(GLOBAL APPEND PROPERTY TENON_OBJECTS tenon_runtime)

get_property(object_targets GLOBAL PROPERTY TENON_OBJECTS)
set(objects "")
foreach(target IN LISTS object_targets)
    list(APPEND objects $<TARGET_OBJECTS:${target}>)
endforeach()

add_library(tenon SHARED ${objects})
set_target_properties(tenon PROPERTIES LINKER_LANGUAGE CXX BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "$ORIGIN")
target_link_libraries(tenon PRIVATE tenon::dnnl ${CMAKE_DL_LIBS})
if(NOT TENON_SANITIZE)
    target_link_options(tenon PRIVATE -Wl,--no-undefined -Wl,--as-needed)
endif()

add_library(tenon_static STATIC EXCLUDE_FROM_ALL ${objects})
set_target_properties(tenon_static PROPERTIES LINKER_LANGUAGE CXX)
target_link_libraries(tenon_static PUBLIC tenon_includes ${CMAKE_DL_LIBS})
