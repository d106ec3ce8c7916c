// For benchmarks: the limit that kernels are compared with.
#ifndef TENON_KERNELS_CPU_GEMM_FMA_PEAK_H
#define TENON_KERNELS_CPU_GEMM_FMA_PEAK_H

#include "../common/cpu_features.h"
#include "../common/test_support.h"

namespace tenon::cpu::test {

#if defined(__x86_64__)
constexpr int64_t kFmaRounds = 1 << 20;

__attribute__((target("avx512f"))) inline void fma_rounds() {
    for (int64_t i = 0; i < kFmaRounds; ++i) {
        __asm__ volatile(
            "vfmadd231ps %%zmm0, %%zmm0, %%zmm16\n\tvfmadd231ps %%zmm0, %%zmm0, %%zmm17\n\t"
            "vfmadd231ps %%zmm0, %%zmm0, %%zmm18\n\tvfmadd231ps %%zmm0, %%zmm0, %%zmm19\n\t"
            "vfmadd231ps %%zmm0, %%zmm0, %%zmm20\n\tvfmadd231ps %%zmm0, %%zmm0, %%zmm21\n\t"
            "vfmadd231ps %%zmm0, %%zmm0, %%zmm22\n\tvfmadd231ps %%zmm0, %%zmm0, %%zmm23\n\t"
            "vfmadd231ps %%zmm0, %%zmm0, %%zmm24\n\tvfmadd231ps %%zmm0, %%zmm0, %%zmm25" ::
                : "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25");
    }
}

// GFLOP/s of one core that does nothing but 512-bit multiply-adds on registers; 0 without AVX-512.
inline double fma_peak() {
    if (best_isa() != Isa::avx512) return 0;
    return kFmaRounds * 10 * 32 / best_seconds(fma_rounds) * 1e-9;
}
#else
inline double fma_peak() {
    return 0;
}
#endif

}  // namespace tenon::cpu::test
#endif
