# Target "bundle": the libraries that must lie side by side (libtenon finds the others through $ORIGIN), under the
# resource names that the jars of this platform give them.
set(bundle "${TENON_BUNDLE_DIR}/dev/tenon/native/${TENON_PLATFORM}")

add_custom_command(OUTPUT "${bundle}/libtenon.so"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${bundle}"
    # Renamed into place: a process that has the previous build mapped keeps it.
    COMMAND "${CMAKE_STRIP}" --strip-unneeded -o "${bundle}/libtenon.so.new" $<TARGET_FILE:tenon>
    COMMAND "${CMAKE_COMMAND}" -E rename "${bundle}/libtenon.so.new" "${bundle}/libtenon.so"
    DEPENDS tenon COMMENT "Stripping libtenon.so" VERBATIM)

set(bundle_files "${bundle}/libtenon.so")
foreach(library IN ITEMS "${TENON_DNNL_LIBRARY}" "${TENON_OPENMP_LIBRARY}")
    get_filename_component(name "${library}" NAME)
    add_custom_command(OUTPUT "${bundle}/${name}"
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${bundle}"
        COMMAND "${CMAKE_COMMAND}" -E copy "${library}" "${bundle}/${name}"
        DEPENDS "${library}" COMMENT "Copying ${name}" VERBATIM)
    list(APPEND bundle_files "${bundle}/${name}")
endforeach()

add_custom_target(bundle DEPENDS ${bundle_files})
