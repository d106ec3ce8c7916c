// Arithmetic on pairs of 16-bit values in one register, and byte permutation.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

// a * b + c of both halves, rounded once. T is f16 or bf16.
template <class T>
TENON_DEVICE uint32_t fma_pair(uint32_t a, uint32_t b, uint32_t c) {
    static_assert(kSame<T, f16> || kSame<T, bf16>);
#if defined(TENON_ON_GPU)
    uint32_t r;
    if constexpr (kSame<T, f16>) {
        asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    } else {
        asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
    }
    return r;
#else
    auto half = [](uint32_t pair, int i) { return to_float(T{static_cast<uint16_t>(pair >> 16 * i)}); };
    return Pack<T>::from(fmaf(half(a, 0), half(b, 0), half(c, 0)), fmaf(half(a, 1), half(b, 1), half(c, 1)));
#endif
}

// Byte i of the result is the byte of low (0 to 3) or high (4 to 7) that the i-th hexadecimal digit of `selector`
// names, the lowest digit first.
TENON_DEVICE uint32_t permute_bytes(uint32_t low, uint32_t high, uint32_t selector) {
#if defined(TENON_ON_GPU)
    return __byte_perm(low, high, selector);
#else
    uint64_t both = static_cast<uint64_t>(high) << 32 | low;
    uint32_t r = 0;
    for (int i = 0; i < 4; i++) r |= static_cast<uint32_t>(both >> 8 * (selector >> 4 * i & 7) & 0xff) << 8 * i;
    return r;
#endif
}

}  // namespace tenon::cuda
