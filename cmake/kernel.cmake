# tenon_cpu_kernel(<family> [ISAS <level>...])  declares the kernel family in kernels/cpu/<family>/:
#
#   *_<level>.cpp   variants, compiled with the flags of their level (isa.cmake), -DTENON_ISA=<level>, no exceptions
#   *_test.cpp      each becomes an executable and a ctest of the same name
#   *_bench.cpp     each becomes an executable, built by the target "benches" only
#   other *.cpp     selection and the rest, compiled for the baseline
#
# Includes are relative to kernels/cpu/, native/include/, native/src/ or the file itself.
# Inline code compiled with wide flags may be picked by the linker for every caller and crash older processors, so each
# variant is also compiled at -O0 and must have no weak symbol outside its namespace (check_weak_symbols.cmake).

add_library(tenon_includes INTERFACE)
target_include_directories(tenon_includes INTERFACE "${CMAKE_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}/src"
                                                    "${TENON_ROOT}/kernels/cpu" "${CMAKE_BINARY_DIR}/generated")
target_link_libraries(tenon_includes INTERFACE tenon::dnnl)
add_custom_target(benches)

function(tenon_cpu_kernel family)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ISAS")
    set(folder "${CMAKE_CURRENT_SOURCE_DIR}/cpu/${family}")
    file(GLOB sources CONFIGURE_DEPENDS "${folder}/*.cpp")
    if(NOT sources)
        message(FATAL_ERROR "tenon_cpu_kernel(${family}): no .cpp file in ${folder}")
    endif()

    set(baseline "")
    set(found "")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME_WE)
        tenon_isa_of(isa "${name}")
        if(name MATCHES "_test$")
            if(BUILD_TESTING)
                tenon_native_test(${name} "${source}")
            endif()
        elseif(name MATCHES "_bench$")
            tenon_native_bench(${name} "${source}")
        elseif(NOT isa)
            list(APPEND baseline "${source}")
        else()
            list(APPEND found ${isa})
            if(NOT isa IN_LIST arg_ISAS)
                message(FATAL_ERROR "${source} exists, but tenon_cpu_kernel(${family}) does not list ${isa} in ISAS")
            elseif(isa IN_LIST TENON_ISA_LEVELS)
                tenon_isa_objects(${name} ${isa} "${source}")
            endif()
        endif()
    endforeach()

    foreach(isa IN LISTS arg_ISAS)
        if(NOT isa IN_LIST found)
            message(FATAL_ERROR "tenon_cpu_kernel(${family} ISAS ${isa}): no *_${isa}.cpp in ${folder}")
        endif()
    endforeach()

    if(baseline)
        add_library(kernel_${family} OBJECT ${baseline})
        target_link_libraries(kernel_${family} PRIVATE tenon_includes)
        set_property(GLOBAL APPEND PROPERTY TENON_OBJECTS kernel_${family})
    endif()
endfunction()

# Level that a file name ends in; empty when it ends in none.
function(tenon_isa_of out name)
    set(best "")
    foreach(isa IN LISTS TENON_ALL_ISA_LEVELS)
        string(LENGTH "${isa}" length)
        string(LENGTH "${best}" best_length)
        if(name MATCHES "_${isa}$" AND length GREATER best_length)
            set(best ${isa})
        endif()
    endforeach()
    set(${out} "${best}" PARENT_SCOPE)
endfunction()

# Objects of one variant for the library, and the same file at -O0 for the weak symbol check.
function(tenon_isa_objects name isa source)
    set(targets kernel_${name})
    add_library(kernel_${name} OBJECT "${source}")
    set_property(GLOBAL APPEND PROPERTY TENON_OBJECTS kernel_${name})
    if(BUILD_TESTING AND NOT TENON_SANITIZE)
        list(APPEND targets weak_${name})
        add_library(weak_${name} OBJECT "${source}")
        add_test(NAME weak_symbols_${name}
                 COMMAND "${CMAKE_COMMAND}" "-DNM=${CMAKE_NM}" "-DNAMESPACE=tenon::cpu::${isa}"
                         "-DOBJECTS=$<TARGET_OBJECTS:weak_${name}>" -P "${TENON_ROOT}/cmake/check_weak_symbols.cmake")
        set_tests_properties(weak_symbols_${name} PROPERTIES LABELS null)
    endif()
    foreach(target IN LISTS targets)
        target_link_libraries(${target} PRIVATE tenon_includes)
        target_compile_definitions(${target} PRIVATE TENON_ISA=${isa})
        target_compile_options(${target} PRIVATE ${TENON_ISA_FLAGS_${isa}} -fno-exceptions)
    endforeach()
    if(TARGET weak_${name})
        target_compile_options(weak_${name} PRIVATE -O0)
    endif()
endfunction()

# Links an executable with everything in the library, hidden symbols included.
function(tenon_link_statically target)
    target_link_libraries(${target} PRIVATE tenon_static)
    target_link_options(${target} PRIVATE -Wl,--disable-new-dtags)
    set_target_properties(${target} PROPERTIES BUILD_RPATH "${TENON_DNNL_HOME}")
endfunction()

# tenon_native_test(<name> <source>...)  an executable that exits 0 when all is well, run by ctest; 77 means skipped.
function(tenon_native_test name)
    add_executable(${name} ${ARGN})
    tenon_link_statically(${name})
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS cpu TIMEOUT 300 SKIP_RETURN_CODE 77)
    if(TENON_SANITIZE)
        set_tests_properties(${name} PROPERTIES ENVIRONMENT
            "ASAN_OPTIONS=detect_stack_use_after_return=1;UBSAN_OPTIONS=print_stacktrace=1")
    endif()
endfunction()

# tenon_native_bench(<name> <source>...)  an executable that prints its figures; not part of the default build.
function(tenon_native_bench name)
    add_executable(${name} EXCLUDE_FROM_ALL ${ARGN})
    tenon_link_statically(${name})
    add_dependencies(benches ${name})
endfunction()
