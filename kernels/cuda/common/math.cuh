// Elementary functions with the GPU's own instruction, and the same function on the host.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

constexpr float kLog2E = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

// 2^x, relative error below 2^-22; subnormal results are 0.
TENON_DEVICE float exp2_fast(float x) {
#if defined(TENON_ON_GPU)
    float r;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
#else
    return exp2f(x);
#endif
}

// log2(x), off by less than 2^-22 between 1/2 and 2 and by as much relatively elsewhere; subnormal numbers count as 0.
TENON_DEVICE float log2_fast(float x) {
#if defined(TENON_ON_GPU)
    float r;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
#else
    return log2f(x);
#endif
}

// 1 / x within one unit in the last place; subnormal numbers and results are 0.
TENON_DEVICE float reciprocal_fast(float x) {
#if defined(TENON_ON_GPU)
    float r;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
    return r;
#else
    return 1 / x;
#endif
}

}  // namespace tenon::cuda
