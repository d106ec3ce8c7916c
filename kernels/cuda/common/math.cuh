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

// Phi(-a), the tail of the standard normal distribution, for 0 <= a <= 13, as 2^-p(a) with a polynomial p; a Phi(-a) is
// off by less than a result of type T can show. The polynomials are minimax fits over [0, 5.6] and [0, 6] (weight:
// error of gelu); both go on rising up to 13, where 2^-p is below 2^-100.
template <class T>
TENON_DEVICE float normal_tail(float a) {
    float q;
    if constexpr (sizeof(T) == 4) {
        q = 2.205056581772169e-08f;
        q = fmaf(q, a, -6.823240141784481e-07f);
        q = fmaf(q, a, 9.055985174200032e-06f);
        q = fmaf(q, a, -6.529008533107117e-05f);
        q = fmaf(q, a, 0.00024147250223904848f);
        q = fmaf(q, a, 7.771616947138682e-05f);
        q = fmaf(q, a, -0.0070387013256549835f);
        q = fmaf(q, a, 0.05250032991170883f);
        q = fmaf(q, a, 0.4592025876045227f);
        q = fmaf(q, a, 1.1511062383651733f);
        q = fmaf(q, a, 0.9999999403953552f);
    } else {
        q = -2.427722756692674e-05f;
        q = fmaf(q, a, 0.0006352980271913111f);
        q = fmaf(q, a, -0.007367867510765791f);
        q = fmaf(q, a, 0.051758378744125366f);
        q = fmaf(q, a, 0.46039554476737976f);
        q = fmaf(q, a, 1.1506727933883667f);
        q = fmaf(q, a, 1.0000208616256714f);
    }
    return exp2_fast(-q);
}

}  // namespace tenon::cuda
