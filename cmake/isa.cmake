# The one table from instruction set level to compiler flags. The level is also the file suffix of a kernel
# (rms_norm_avx2.cpp) and the namespace of its code (tenon::cpu::avx2).
set(TENON_ALL_ISA_LEVELS scalar avx2 avx512 avx512_vnni avx512_bf16)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set(TENON_ISA_LEVELS ${TENON_ALL_ISA_LEVELS})
    set(TENON_ISA_FLAGS_scalar -march=x86-64)
    set(TENON_ISA_FLAGS_avx2 -march=x86-64 -mavx2 -mfma -mf16c -mbmi -mbmi2)
    set(TENON_ISA_FLAGS_avx512 ${TENON_ISA_FLAGS_avx2} -mavx512f -mavx512bw -mavx512dq -mavx512vl)
    set(TENON_ISA_FLAGS_avx512_vnni ${TENON_ISA_FLAGS_avx512} -mavx512vnni)
    set(TENON_ISA_FLAGS_avx512_bf16 ${TENON_ISA_FLAGS_avx512_vnni} -mavx512bf16)
else()
    set(TENON_ISA_LEVELS scalar)
    set(TENON_ISA_FLAGS_scalar "")
endif()
