// What the processor and the operating system let kernels use, and the choice of an instruction set.
#ifndef TENON_KERNELS_CPU_COMMON_CPU_FEATURES_H
#define TENON_KERNELS_CPU_COMMON_CPU_FEATURES_H

#include <stdint.h>

namespace tenon::cpu {

// Ordered: a processor that runs one runs all before it. The numbers are those of TENON_ISA_* in tenon.h.
enum class Isa : int32_t {
    scalar = 0,  // the architecture's baseline
    avx2 = 1,    // AVX2, FMA, F16C
    avx512 = 2,  // AVX-512 F, BW, DQ, VL
};

struct CpuFeatures {
    bool avx2;              // all of Isa::avx2, and the system saves YMM registers
    bool avx512;            // all of Isa::avx512, and the system saves ZMM and mask registers
    bool avx512_vnni;       // implies avx512
    bool avx512_bf16;       // implies avx512
    bool amx;               // the processor has tiles (bf16 and int8); using them needs the system's permission
    int64_t l1_data_bytes;  // per core; 0 when unknown, as the next ones
    int64_t l2_bytes;
    int64_t l3_bytes;
};

// Detected once. Thread-safe.
const CpuFeatures& cpu_features();

// Best Isa of this processor.
Isa best_isa();

// Best Isa of this processor that is not above `max`.
Isa best_isa(Isa max);

// name: "scalar", "avx2" or "avx512". False, and *out unchanged, for anything else (null included).
bool parse_isa(const char* name, Isa* out);
const char* isa_name(Isa isa);

}  // namespace tenon::cpu
#endif
