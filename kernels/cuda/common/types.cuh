// Element types narrower than fp32, the same on host and GPU: bits with conversions. Arithmetic is done in fp32.
// f16 is IEEE 754 binary16; bf16 the upper half of binary32; f8e4m3 and f8e5m2 the OCP 8-bit formats ("OFP8", Open
// Compute Project 2023). All conversions from fp32 round to nearest, ties to even; those to 8 bits saturate to the
// largest finite value (ONNX's saturate = 1), NaN stays NaN.
#pragma once
#include "common/kernel.cuh"

namespace tenon::cuda {

// Whether two types are one. (NVRTC has neither <type_traits> nor __is_same.)
template <class A, class B>
constexpr bool kSame = false;
template <class A>
constexpr bool kSame<A, A> = true;

struct f16 {
    uint16_t bits;
};
struct bf16 {
    uint16_t bits;
};
struct f8e4m3 {
    uint8_t bits;
};
struct f8e5m2 {
    uint8_t bits;
};

TENON_DEVICE uint32_t bits_of(float x) {
#if defined(TENON_ON_GPU)
    return __float_as_uint(x);
#else
    return __builtin_bit_cast(uint32_t, x);
#endif
}
TENON_DEVICE float float_of(uint32_t bits) {
#if defined(TENON_ON_GPU)
    return __uint_as_float(bits);
#else
    return __builtin_bit_cast(float, bits);
#endif
}

// The host's versions, which the GPU uses where it has no instruction. A format has `exponent_bits` and
// `mantissa_bits`; has_infinity is false for e4m3, where the largest exponent holds numbers up to 448 and one NaN.
template <int exponent_bits, int mantissa_bits, bool has_infinity>
struct SmallFloat {
    static constexpr int bias = (1 << (exponent_bits - 1)) - 1;
    static constexpr uint32_t sign_bit = 1u << (exponent_bits + mantissa_bits);
    static constexpr uint32_t infinity = ((1u << exponent_bits) - 1) << mantissa_bits;
    static constexpr uint32_t nan = has_infinity ? infinity | (1u << (mantissa_bits - 1)) : sign_bit - 1;
    static constexpr uint32_t largest = has_infinity ? infinity - 1 : nan - 1;

    static TENON_DEVICE uint32_t from(float x, bool saturate) {
        uint32_t u = bits_of(x), sign = (u >> 31) * sign_bit, magnitude = u & 0x7fffffffu;
        if (magnitude > 0x7f800000u) return sign | nan;
        // Subnormal results: adding this power of two makes the FPU round at their last bit.
        constexpr int min_exponent = 1 - bias;
        uint32_t r;
        if (magnitude < static_cast<uint32_t>(min_exponent + 127) << 23) {
            float magic = float_of(static_cast<uint32_t>(min_exponent - mantissa_bits + 23 + 127) << 23);
            r = bits_of(float_of(magnitude) + magic) - bits_of(magic);
        } else {
            constexpr int drop = 23 - mantissa_bits;
            uint32_t rounded = magnitude + ((1u << (drop - 1)) - 1) + ((magnitude >> drop) & 1);
            r = (rounded >> drop) - (static_cast<uint32_t>(127 - bias) << mantissa_bits);
        }
        if (r > largest) r = saturate ? largest : has_infinity ? infinity : nan;
        return sign | r;
    }

    static TENON_DEVICE float to(uint32_t b) {
        uint32_t sign = (b & sign_bit) ? 0x80000000u : 0, magnitude = b & (sign_bit - 1);
        if (has_infinity ? magnitude > infinity : magnitude == nan) return float_of(sign | 0x7fc00000u);
        if (has_infinity && magnitude == infinity) return float_of(sign | 0x7f800000u);
        if (magnitude < 1u << mantissa_bits) {  // subnormal: a multiple of the smallest one
            float unit = float_of(static_cast<uint32_t>(1 - bias - mantissa_bits + 127) << 23);
            return float_of(bits_of(static_cast<float>(magnitude) * unit) | sign);
        }
        return float_of(sign | ((magnitude << (23 - mantissa_bits)) + (static_cast<uint32_t>(127 - bias) << 23)));
    }
};

TENON_DEVICE float to_float(float x) {
    return x;
}

TENON_DEVICE float to_float(f16 x) {
#if defined(TENON_ON_GPU)
    float r;
    asm("cvt.f32.f16 %0, %1;" : "=f"(r) : "h"(x.bits));
    return r;
#else
    return SmallFloat<5, 10, true>::to(x.bits);
#endif
}

TENON_DEVICE float to_float(bf16 x) {
    return float_of(static_cast<uint32_t>(x.bits) << 16);
}

TENON_DEVICE float to_float(f8e4m3 x) {
#if defined(TENON_ON_GPU) && __CUDA_ARCH__ >= 890
    uint32_t pair;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<uint16_t>(x.bits)));
    return to_float(f16{static_cast<uint16_t>(pair)});
#else
    return SmallFloat<4, 3, false>::to(x.bits);
#endif
}

// Two f8e4m3 values, the first in the low byte, to two f16 values; exact.
TENON_DEVICE uint32_t f16_pair(uint16_t e4m3_pair) {
#if defined(TENON_ON_GPU) && __CUDA_ARCH__ >= 890
    uint32_t r;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(r) : "h"(e4m3_pair));
    return r;
#elif defined(TENON_ON_GPU)
    // The exponent's bias is 8 less than f16's. Subnormal values become normal in the product; NaN looks like 480.
    uint32_t x = (e4m3_pair & 0xffu) | (e4m3_pair & 0xff00u) << 8, r;
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(r) : "r"((x & 0x007f007fu) << 7), "r"(0x5c005c00u));
    uint32_t nan = (((x & 0x007f007fu) + 0x00010001u) & 0x00800080u) >> 7;
    return r | (x & 0x00800080u) << 8 | nan * 0x7e00u;
#else
    auto wide = [](uint32_t b) { return SmallFloat<5, 10, true>::from(SmallFloat<4, 3, false>::to(b), false); };
    return wide(e4m3_pair & 0xffu) | wide(static_cast<uint32_t>(e4m3_pair) >> 8) << 16;
#endif
}

TENON_DEVICE float to_float(f8e5m2 x) {
    return to_float(f16{static_cast<uint16_t>(x.bits << 8)});
}
TENON_DEVICE float to_float(int8_t x) {
    return static_cast<float>(x);
}
TENON_DEVICE float to_float(uint8_t x) {
    return static_cast<float>(x);
}
TENON_DEVICE float to_float(int32_t x) {
    return static_cast<float>(x);
}

// Two values to 16 bits each; a goes into the low half. One instruction on the GPU.
template <class T>
struct Pack;

template <>
struct Pack<f16> {
    static TENON_DEVICE uint32_t from(float a, float b) {
#if defined(TENON_ON_GPU)
        uint32_t r;
        asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(b), "f"(a));
        return r;
#else
        using F = SmallFloat<5, 10, true>;
        return F::from(a, false) | F::from(b, false) << 16;
#endif
    }
};

template <>
struct Pack<bf16> {
    static TENON_DEVICE uint32_t from(float a, float b) {
#if defined(TENON_ON_GPU)
        uint32_t r;
        asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(r) : "f"(b), "f"(a));
        return r;
#else
        using F = SmallFloat<8, 7, true>;
        return F::from(a, false) | F::from(b, false) << 16;
#endif
    }
};

// The value rounded to T. int8_t and uint8_t round to nearest even and saturate; NaN becomes 0.
template <class T>
TENON_DEVICE T from_float(float x);

template <>
TENON_DEVICE float from_float<float>(float x) {
    return x;
}
template <>
TENON_DEVICE f16 from_float<f16>(float x) {
    return f16{static_cast<uint16_t>(Pack<f16>::from(x, 0.0f))};
}
template <>
TENON_DEVICE bf16 from_float<bf16>(float x) {
    return bf16{static_cast<uint16_t>(Pack<bf16>::from(x, 0.0f))};
}
template <>
TENON_DEVICE f8e4m3 from_float<f8e4m3>(float x) {
#if defined(TENON_ON_GPU) && __CUDA_ARCH__ >= 890
    uint16_t pair;
    asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
    return f8e4m3{static_cast<uint8_t>(pair)};
#else
    return f8e4m3{static_cast<uint8_t>(SmallFloat<4, 3, false>::from(x, true))};
#endif
}
template <>
TENON_DEVICE f8e5m2 from_float<f8e5m2>(float x) {
#if defined(TENON_ON_GPU) && __CUDA_ARCH__ >= 890
    uint16_t pair;
    asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
    return f8e5m2{static_cast<uint8_t>(pair)};
#else
    return f8e5m2{static_cast<uint8_t>(SmallFloat<5, 2, true>::from(x, true))};
#endif
}

// x rounded to the nearest integer, ties to even, and limited to [low, high]; NaN becomes 0, as cvt does it.
TENON_DEVICE int32_t round_and_limit(float x, int32_t low, int32_t high) {
#if defined(TENON_ON_GPU)
    int32_t r = __float2int_rn(x);
#else
    int32_t r = x != x               ? 0
                : x >= 2147483648.0f ? INT32_MAX
                : x < -2147483648.0f ? INT32_MIN
                                     : static_cast<int32_t>(__builtin_rintf(x));
#endif
    return r < low ? low : r > high ? high : r;
}
template <>
TENON_DEVICE int8_t from_float<int8_t>(float x) {
    return static_cast<int8_t>(round_and_limit(x, -128, 127));
}
template <>
TENON_DEVICE uint8_t from_float<uint8_t>(float x) {
    return static_cast<uint8_t>(round_and_limit(x, 0, 255));
}

}  // namespace tenon::cuda
