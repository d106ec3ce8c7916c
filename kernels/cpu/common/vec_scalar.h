// f32 vectors of one lane, for every processor, and the interface of all vec_<isa>.h.
// A kernel body is compiled once per instruction set, in namespace tenon::cpu::<isa>, over these types. Everything here
// has internal linkage: code compiled with wide flags must never be shared with other objects.
#ifndef TENON_KERNELS_CPU_COMMON_VEC_SCALAR_H
#define TENON_KERNELS_CPU_COMMON_VEC_SCALAR_H

#include <stdint.h>

namespace tenon::cpu::scalar {
namespace {

constexpr int64_t kLanes = 1;
constexpr bool kHasFma = false;  // fma rounds twice

struct F32 {
    float v;
};
struct Mask {
    bool m;
};

inline uint32_t bits_of(F32 a) {
    return __builtin_bit_cast(uint32_t, a.v);
}
inline F32 of_bits(uint32_t bits) {
    return {__builtin_bit_cast(float, bits)};
}

// _part: the first n lanes, 0 <= n <= kLanes; nothing outside is touched, missing lanes are 0.
inline F32 load(const float* p) {
    return {*p};
}
inline F32 load_part(const float* p, int64_t n) {
    return {n > 0 ? *p : 0.0f};
}
inline void store(float* p, F32 a) {
    *p = a.v;
}
inline void store_part(float* p, F32 a, int64_t n) {
    if (n > 0) *p = a.v;
}
inline F32 set(float a) {
    return {a};
}
inline F32 operator+(F32 a, F32 b) {
    return {a.v + b.v};
}
inline F32 operator-(F32 a, F32 b) {
    return {a.v - b.v};
}
inline F32 operator*(F32 a, F32 b) {
    return {a.v * b.v};
}
inline F32 operator/(F32 a, F32 b) {
    return {a.v / b.v};
}
inline F32 fma(F32 a, F32 b, F32 c) {
    return {a.v * b.v + c.v};
}
inline F32 fnma(F32 a, F32 b, F32 c) {
    return {c.v - a.v * b.v};
}
// b where either is NaN.
inline F32 min_second(F32 a, F32 b) {
    return {a.v < b.v ? a.v : b.v};
}
inline F32 max_second(F32 a, F32 b) {
    return {a.v > b.v ? a.v : b.v};
}
inline F32 sqrt(F32 a) {
    return {__builtin_sqrtf(a.v)};
}
inline F32 floor(F32 a) {
    return {__builtin_floorf(a.v)};
}
inline F32 ceil(F32 a) {
    return {__builtin_ceilf(a.v)};
}
inline F32 round_even(F32 a) {
    return {__builtin_rintf(a.v)};
}
inline F32 operator&(F32 a, F32 b) {
    return of_bits(bits_of(a) & bits_of(b));
}
inline F32 operator|(F32 a, F32 b) {
    return of_bits(bits_of(a) | bits_of(b));
}
inline F32 operator^(F32 a, F32 b) {
    return of_bits(bits_of(a) ^ bits_of(b));
}
inline F32 and_not(F32 a, F32 b) {
    return of_bits(~bits_of(a) & bits_of(b));
}  // ~a & b
// Comparisons are false for NaN.
inline Mask operator<(F32 a, F32 b) {
    return {a.v < b.v};
}
inline Mask operator<=(F32 a, F32 b) {
    return {a.v <= b.v};
}
inline Mask operator==(F32 a, F32 b) {
    return {a.v == b.v};
}
inline Mask is_nan(F32 a) {
    return {a.v != a.v};
}
inline F32 select(Mask m, F32 a, F32 b) {
    return m.m ? a : b;
}
inline Mask operator&(Mask a, Mask b) {
    return {a.m && b.m};
}
inline Mask operator|(Mask a, Mask b) {
    return {a.m || b.m};
}
inline bool any(Mask m) {
    return m.m;
}
// Masks as bytes 0 and 1; loading takes any other value as 1.
inline void store_mask(uint8_t* p, Mask m) {
    *p = m.m;
}
inline void store_mask_part(uint8_t* p, Mask m, int64_t n) {
    if (n > 0) *p = m.m;
}
inline Mask load_mask(const uint8_t* p) {
    return {*p != 0};
}
inline Mask load_mask_part(const uint8_t* p, int64_t n) {
    return {n > 0 && *p != 0};
}
inline F32 load_half(const uint16_t* p) {
    const uint32_t sign = (*p & 0x8000u) << 16, exponent = *p >> 10 & 31, fraction = *p & 1023;
    if (exponent == 31) return of_bits(sign | 0x7f800000u | fraction << 13 | (fraction != 0 ? 0x400000u : 0));
    if (exponent != 0) return of_bits(sign | (exponent + 112) << 23 | fraction << 13);
    return of_bits(sign | bits_of({static_cast<float>(fraction) * 0x1p-24f}));
}
// To nearest even. Adding a power of two makes the processor round at the right bit.
inline void store_half(uint16_t* p, F32 a) {
    const uint32_t sign = bits_of(a) >> 16 & 0x8000u, magnitude = bits_of(a) & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) {
        half = 0x7e00u | magnitude >> 13;
    } else if (magnitude >= 0x477ff000u) {
        half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {
        half = bits_of({of_bits(magnitude).v + 0.5f}) - 0x3f000000u;
    } else {
        half = (magnitude + 0xfffu + (magnitude >> 13 & 1) - 0x38000000u) >> 13;
    }
    *p = static_cast<uint16_t>(sign | half);
}
// Over the lanes. max_lane and min_lane: unspecified when a lane is NaN.
inline float sum(F32 a) {
    return a.v;
}
inline float max_lane(F32 a) {
    return a.v;
}
inline float min_lane(F32 a) {
    return a.v;
}
// a in the first n lanes, other in the rest.
inline F32 keep_part(F32 a, int64_t n, F32 other) {
    return n > 0 ? a : other;
}
// a * 2^n for integral n, |n| <= 250, rounded once.
inline F32 scale_by_power(F32 a, F32 n) {
    const int32_t i = n.v == n.v ? static_cast<int32_t>(n.v) : 0, half = i >> 1;
    const F32 f1 = of_bits(static_cast<uint32_t>(half + 127) << 23);
    const F32 f2 = of_bits(static_cast<uint32_t>(i - half + 127) << 23);
    return a * f1 * f2;
}
inline F32 normal(F32 a, F32* less) {
    const bool subnormal = __builtin_fabsf(a.v) < 0x1p-126f;
    less->v = subnormal ? 32.0f : 0.0f;
    return {subnormal ? a.v * 0x1p32f : a.v};
}
// a = mantissa(a) * 2^exponent(a) with 1 <= |mantissa| < 2, for finite a other than 0 (subnormal too).
inline F32 exponent(F32 a) {
    F32 less;
    const uint32_t bits = bits_of(normal(a, &less));
    return {static_cast<float>(static_cast<int32_t>(bits >> 23 & 255) - 127) - less.v};
}
inline F32 mantissa(F32 a) {
    F32 less;
    return of_bits((bits_of(normal(a, &less)) & 0x807fffffu) | 0x3f800000u);
}

// dst[c * dst_stride + r] = src[r * src_stride + c] for r, c < kLanes. Bits are moved unchanged.
inline void transpose_square(const float* src, int64_t, float* dst, int64_t) {
    __builtin_memcpy(dst, src, 4);
}

}  // namespace
}  // namespace tenon::cpu::scalar
#endif
