# oneDNN, headers and library, from the Maven artifact org.bytedeco:dnnl as Maven unpacks it, together with the OpenMP
# runtime it was built against. Targets: tenon::dnnl, tenon::openmp.
set(TENON_DNNL_DIR "${CMAKE_SOURCE_DIR}/target/dnnl" CACHE PATH "Folder the artifact org.bytedeco:dnnl is unpacked in")
set(TENON_DNNL_HOME "${TENON_DNNL_DIR}/org/bytedeco/dnnl/${TENON_PLATFORM}")
set(TENON_DNNL_LIBRARY "${TENON_DNNL_HOME}/libdnnl.so.3")
set(TENON_OPENMP_LIBRARY "${TENON_DNNL_HOME}/libgomp.so.1")

foreach(file IN ITEMS "${TENON_DNNL_LIBRARY}" "${TENON_OPENMP_LIBRARY}" "${TENON_DNNL_HOME}/include/dnnl.h")
    if(NOT EXISTS "${file}")
        message(FATAL_ERROR "oneDNN is not there: ${file} is missing. "
                            "Run \"./mvnw -pl native generate-resources\" in the repository root to fetch it.")
    endif()
endforeach()

add_library(tenon::openmp SHARED IMPORTED)
set_target_properties(tenon::openmp PROPERTIES IMPORTED_LOCATION "${TENON_OPENMP_LIBRARY}")

add_library(tenon::dnnl SHARED IMPORTED)
set_target_properties(tenon::dnnl PROPERTIES IMPORTED_LOCATION "${TENON_DNNL_LIBRARY}"
                                             INTERFACE_INCLUDE_DIRECTORIES "${TENON_DNNL_HOME}/include")
target_link_libraries(tenon::dnnl INTERFACE tenon::openmp)
