# cmake -DREPORTS=a.csv;b.csv -DOUTPUT=kernels.csv -P cuda_report.cmake   joins the families' reports under a header.
cmake_minimum_required(VERSION 3.25)
set(all "kernel,architecture,registers,spill_store_bytes,spill_load_bytes,stack_bytes,shared_bytes\n")
foreach(report IN LISTS REPORTS)
    file(READ "${report}" csv)
    string(APPEND all "${csv}")
endforeach()
file(WRITE "${OUTPUT}" "${all}")
