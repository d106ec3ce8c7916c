# native/test/<name>_test.cpp -> executable and ctest "<name>_test"; native/test/<name>.c must compile as C11.
file(GLOB TENON_TEST_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/test/*_test.cpp")
foreach(source IN LISTS TENON_TEST_SOURCES)
    get_filename_component(name "${source}" NAME_WE)
    tenon_native_test(${name} "${source}")
endforeach()

file(GLOB TENON_C_SOURCES CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/test/*.c")
if(TENON_C_SOURCES)
    add_library(tenon_c_header_check OBJECT ${TENON_C_SOURCES})
    target_include_directories(tenon_c_header_check PRIVATE "${CMAKE_SOURCE_DIR}/include")
    target_compile_options(tenon_c_header_check PRIVATE -std=c11 -pedantic-errors)
endif()
