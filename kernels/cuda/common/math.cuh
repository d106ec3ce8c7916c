// Elementary functions with the GPU's own instruction, and the same function on the host.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

constexpr float kLog2E = 1.4426950408889634f;

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

}  // namespace tenon::cuda
