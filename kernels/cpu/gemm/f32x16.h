// Sixteen floats: one zmm, two ymm or four 128-bit registers, whatever the instruction set the file is compiled for.
// The width is that of a channel block of the nChw16c layout, so blocked code is the same on every instruction set.
//
// For ISA files only: everything lies in tenon::cpu::TENON_ISA.
#ifndef TENON_KERNELS_CPU_GEMM_F32X16_H
#define TENON_KERNELS_CPU_GEMM_F32X16_H

#include <stdint.h>

#if defined(__AVX2__)
// g++ 12 takes the deliberately undefined operands inside the intrinsics for mistakes (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

#define TENON_INLINE inline __attribute__((always_inline))

namespace tenon::cpu::TENON_ISA {

#if defined(__AVX512F__)

// Micro-tile of gemm_tile.inl that leaves registers for its operands: rows x vectors.
constexpr int kTileRows = 14;
constexpr int kTileVectors = 2;

struct F32x16 {
    __m512 v;
};

TENON_INLINE F32x16 set1(float x) {
    return {_mm512_set1_ps(x)};
}
TENON_INLINE F32x16 load(const float* p) {
    return {_mm512_loadu_ps(p)};
}
TENON_INLINE void store(float* p, F32x16 x) {
    _mm512_storeu_ps(p, x.v);
}
TENON_INLINE __mmask16 first_lanes(int64_t n) {
    return static_cast<__mmask16>((1u << n) - 1);
}
// First n lanes (0..16), the others 0; memory past them is not touched.
TENON_INLINE F32x16 load_first(const float* p, int64_t n) {
    return {_mm512_maskz_loadu_ps(first_lanes(n), p)};
}
TENON_INLINE void store_first(float* p, F32x16 x, int64_t n) {
    _mm512_mask_storeu_ps(p, first_lanes(n), x.v);
}
// Lanes n.. from other.
TENON_INLINE F32x16 keep_first(F32x16 x, int64_t n, F32x16 other) {
    return {_mm512_mask_blend_ps(first_lanes(n), other.v, x.v)};
}
// Lanes whose flag byte is 0 from other; reads flags[0..n-1], lanes n.. are from other.
TENON_INLINE F32x16 keep_flagged(F32x16 x, const unsigned char* flags, int64_t n, F32x16 other) {
    const __m128i bytes = _mm_maskz_loadu_epi8(first_lanes(n), flags);
    return {_mm512_mask_blend_ps(_mm_test_epi8_mask(bytes, bytes), other.v, x.v)};
}
TENON_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
// c - a * b
TENON_INLINE F32x16 fnma(F32x16 a, F32x16 b, F32x16 c) {
    return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
}
TENON_INLINE F32x16 add(F32x16 a, F32x16 b) {
    return {_mm512_add_ps(a.v, b.v)};
}
TENON_INLINE F32x16 sub(F32x16 a, F32x16 b) {
    return {_mm512_sub_ps(a.v, b.v)};
}
TENON_INLINE F32x16 mul(F32x16 a, F32x16 b) {
    return {_mm512_mul_ps(a.v, b.v)};
}
TENON_INLINE F32x16 div(F32x16 a, F32x16 b) {
    return {_mm512_div_ps(a.v, b.v)};
}
// A NaN in x stays.
TENON_INLINE F32x16 max(F32x16 bound, F32x16 x) {
    return {_mm512_max_ps(bound.v, x.v)};
}
TENON_INLINE F32x16 min(F32x16 bound, F32x16 x) {
    return {_mm512_min_ps(bound.v, x.v)};
}
TENON_INLINE F32x16 abs(F32x16 x) {
    return {_mm512_abs_ps(x.v)};
}
// magnitude >= 0
TENON_INLINE F32x16 with_sign_of(F32x16 magnitude, F32x16 sign) {
    return {_mm512_or_ps(magnitude.v, _mm512_and_ps(sign.v, _mm512_set1_ps(-0.0f)))};
}
TENON_INLINE float sum(F32x16 x) {
    return _mm512_reduce_add_ps(x.v);
}
TENON_INLINE float largest(F32x16 x) {
    return _mm512_reduce_max_ps(x.v);
}
// 2^whole * fraction where x >= -126 or x is NaN, else 0; whole is round(x).
TENON_INLINE F32x16 round_whole(F32x16 x) {
    return {_mm512_roundscale_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
TENON_INLINE F32x16 scale_by_power(F32x16 fraction, F32x16 whole, F32x16 x) {
    const __mmask16 normal = _mm512_cmp_ps_mask(x.v, _mm512_set1_ps(-126.0f), _CMP_NLT_UQ);
    return {_mm512_maskz_scalef_ps(normal, fraction.v, whole.v)};
}
TENON_INLINE void transpose(F32x16 r[16]) {
    __m512 t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i].v, r[i + 1].v);
        t[i + 1] = _mm512_unpackhi_ps(r[i].v, r[i + 1].v);
    }
    __m512 u[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 16
    for (int j = 0; j < 4; ++j) {
        const __m512 a = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88), b = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xdd);
        const __m512 c = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88);
        const __m512 d = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xdd);
        r[j].v = _mm512_shuffle_f32x4(a, c, 0x88);
        r[8 + j].v = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[4 + j].v = _mm512_shuffle_f32x4(b, d, 0x88);
        r[12 + j].v = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

// Lane i is the sum of the 16 floats at p + 16 * i.
TENON_INLINE F32x16 sums_of_16(const float* p) {
    __m512 four[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, p += 64) {
        const __m512 a = _mm512_loadu_ps(p), b = _mm512_loadu_ps(p + 16);
        const __m512 c = _mm512_loadu_ps(p + 32), d = _mm512_loadu_ps(p + 48);
        const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
        const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
        four[i] = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));
    }
    const __m512 low =
        _mm512_add_ps(_mm512_shuffle_f32x4(four[0], four[1], 0x88), _mm512_shuffle_f32x4(four[0], four[1], 0xdd));
    const __m512 high =
        _mm512_add_ps(_mm512_shuffle_f32x4(four[2], four[3], 0x88), _mm512_shuffle_f32x4(four[2], four[3], 0xdd));
    return {_mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd))};
}

#elif defined(__AVX2__)

constexpr int kTileRows = 6;
constexpr int kTileVectors = 1;

struct F32x16 {
    __m256 lo, hi;
};

TENON_INLINE F32x16 set1(float x) {
    return {_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
TENON_INLINE F32x16 load(const float* p) {
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
TENON_INLINE void store(float* p, F32x16 x) {
    _mm256_storeu_ps(p, x.lo);
    _mm256_storeu_ps(p + 8, x.hi);
}
// All bits set in lanes i with begin + i < n.
TENON_INLINE __m256i lanes_below(int64_t n, int begin) {
    const __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(begin));
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane);
}
TENON_INLINE F32x16 load_first(const float* p, int64_t n) {
    return {_mm256_maskload_ps(p, lanes_below(n, 0)), _mm256_maskload_ps(p + 8, lanes_below(n, 8))};
}
TENON_INLINE void store_first(float* p, F32x16 x, int64_t n) {
    _mm256_maskstore_ps(p, lanes_below(n, 0), x.lo);
    _mm256_maskstore_ps(p + 8, lanes_below(n, 8), x.hi);
}
TENON_INLINE F32x16 keep_first(F32x16 x, int64_t n, F32x16 other) {
    return {_mm256_blendv_ps(other.lo, x.lo, _mm256_castsi256_ps(lanes_below(n, 0))),
            _mm256_blendv_ps(other.hi, x.hi, _mm256_castsi256_ps(lanes_below(n, 8)))};
}
TENON_INLINE F32x16 keep_flagged(F32x16 x, const unsigned char* flags, int64_t n, F32x16 other) {
    alignas(16) unsigned char copy[16] = {};
    for (int64_t i = 0; i < n; ++i) copy[i] = flags[i];
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(copy));
    const __m256i zero = _mm256_setzero_si256();
    const __m256i off_lo = _mm256_cmpeq_epi32(_mm256_cvtepu8_epi32(bytes), zero);
    const __m256i off_hi = _mm256_cmpeq_epi32(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)), zero);
    return {_mm256_blendv_ps(x.lo, other.lo, _mm256_castsi256_ps(off_lo)),
            _mm256_blendv_ps(x.hi, other.hi, _mm256_castsi256_ps(off_hi))};
}
TENON_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
    return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
TENON_INLINE F32x16 fnma(F32x16 a, F32x16 b, F32x16 c) {
    return {_mm256_fnmadd_ps(a.lo, b.lo, c.lo), _mm256_fnmadd_ps(a.hi, b.hi, c.hi)};
}
TENON_INLINE F32x16 add(F32x16 a, F32x16 b) {
    return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
TENON_INLINE F32x16 sub(F32x16 a, F32x16 b) {
    return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
TENON_INLINE F32x16 mul(F32x16 a, F32x16 b) {
    return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
TENON_INLINE F32x16 div(F32x16 a, F32x16 b) {
    return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
TENON_INLINE F32x16 max(F32x16 bound, F32x16 x) {
    return {_mm256_max_ps(bound.lo, x.lo), _mm256_max_ps(bound.hi, x.hi)};
}
TENON_INLINE F32x16 min(F32x16 bound, F32x16 x) {
    return {_mm256_min_ps(bound.lo, x.lo), _mm256_min_ps(bound.hi, x.hi)};
}
TENON_INLINE F32x16 abs(F32x16 x) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    return {_mm256_andnot_ps(sign, x.lo), _mm256_andnot_ps(sign, x.hi)};
}
TENON_INLINE F32x16 with_sign_of(F32x16 magnitude, F32x16 sign) {
    const __m256 bit = _mm256_set1_ps(-0.0f);
    return {_mm256_or_ps(magnitude.lo, _mm256_and_ps(sign.lo, bit)),
            _mm256_or_ps(magnitude.hi, _mm256_and_ps(sign.hi, bit))};
}
TENON_INLINE float sum(F32x16 x) {
    const __m256 eight = _mm256_add_ps(x.lo, x.hi);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
TENON_INLINE float largest(F32x16 x) {
    const __m256 eight = _mm256_max_ps(x.lo, x.hi);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
TENON_INLINE F32x16 round_whole(F32x16 x) {
    return {_mm256_round_ps(x.lo, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(x.hi, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
TENON_INLINE __m256 scale_by_power(__m256 fraction, __m256 whole, __m256 x) {
    const __m256i bits = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127)), 23);
    const __m256 normal = _mm256_cmp_ps(x, _mm256_set1_ps(-126.0f), _CMP_NLT_UQ);
    return _mm256_and_ps(normal, _mm256_mul_ps(fraction, _mm256_castsi256_ps(bits)));
}
TENON_INLINE F32x16 scale_by_power(F32x16 fraction, F32x16 whole, F32x16 x) {
    return {scale_by_power(fraction.lo, whole.lo, x.lo), scale_by_power(fraction.hi, whole.hi, x.hi)};
}
TENON_INLINE void transpose8(__m256 r[8]) {
    __m256 t[8], u[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 4) {
        u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
        u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
        r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
    }
}
TENON_INLINE void transpose(F32x16 r[16]) {
    __m256 quarter[8];
    for (int i = 0; i < 8; ++i) quarter[i] = r[i].lo;
    transpose8(quarter);
    for (int i = 0; i < 8; ++i) r[i].lo = quarter[i];
    for (int i = 0; i < 8; ++i) quarter[i] = r[8 + i].hi;
    transpose8(quarter);
    for (int i = 0; i < 8; ++i) r[8 + i].hi = quarter[i];
    __m256 other[8];
    for (int i = 0; i < 8; ++i) quarter[i] = r[i].hi;
    for (int i = 0; i < 8; ++i) other[i] = r[8 + i].lo;
    transpose8(quarter);
    transpose8(other);
    for (int i = 0; i < 8; ++i) r[8 + i].lo = quarter[i];
    for (int i = 0; i < 8; ++i) r[i].hi = other[i];
}

TENON_INLINE __m256 sums_of_8(const float* p) {
    __m256 two[2];
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i, p += 64) {
        __m256 x[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) x[j] = _mm256_add_ps(_mm256_loadu_ps(p + j * 16), _mm256_loadu_ps(p + j * 16 + 8));
        const __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(x[0], x[1]), _mm256_unpackhi_ps(x[0], x[1]));
        const __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(x[2], x[3]), _mm256_unpackhi_ps(x[2], x[3]));
        two[i] = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
    }
    return _mm256_add_ps(_mm256_permute2f128_ps(two[0], two[1], 0x20), _mm256_permute2f128_ps(two[0], two[1], 0x31));
}
TENON_INLINE F32x16 sums_of_16(const float* p) {
    return {sums_of_8(p), sums_of_8(p + 128)};
}

#else

constexpr int kTileRows = 2;
constexpr int kTileVectors = 1;

// Four 128-bit vectors of the compiler's: SSE2 or NEON registers, without intrinsics.
typedef float Quad __attribute__((vector_size(16)));
typedef int32_t QuadBits __attribute__((vector_size(16)));

struct F32x16 {
    Quad q[4];
};

template <typename Fn>
TENON_INLINE F32x16 each(Fn fn) {
    return {{fn(0), fn(1), fn(2), fn(3)}};
}
template <typename Fn>
TENON_INLINE F32x16 lanes(Fn fn) {
    F32x16 out;
    for (int i = 0; i < 16; ++i) out.q[i / 4][i % 4] = fn(i);
    return out;
}
TENON_INLINE F32x16 set1(float x) {
    return each([=](int) { return Quad{x, x, x, x}; });
}
TENON_INLINE F32x16 load(const float* p) {
    F32x16 out;
    __builtin_memcpy(&out, p, sizeof(out));
    return out;
}
TENON_INLINE void store(float* p, F32x16 x) {
    __builtin_memcpy(p, &x, sizeof(x));
}
TENON_INLINE F32x16 load_first(const float* p, int64_t n) {
    return lanes([=](int i) { return i < n ? p[i] : 0.0f; });
}
TENON_INLINE void store_first(float* p, F32x16 x, int64_t n) {
    for (int64_t i = 0; i < n; ++i) p[i] = x.q[i / 4][i % 4];
}
TENON_INLINE F32x16 keep_first(F32x16 x, int64_t n, F32x16 other) {
    return lanes([=](int i) { return i < n ? x.q[i / 4][i % 4] : other.q[i / 4][i % 4]; });
}
TENON_INLINE F32x16 keep_flagged(F32x16 x, const unsigned char* flags, int64_t n, F32x16 other) {
    return lanes([=](int i) { return i < n && flags[i] != 0 ? x.q[i / 4][i % 4] : other.q[i / 4][i % 4]; });
}
TENON_INLINE F32x16 fma(F32x16 a, F32x16 b, F32x16 c) {
    return each([=](int i) { return a.q[i] * b.q[i] + c.q[i]; });
}
TENON_INLINE F32x16 fnma(F32x16 a, F32x16 b, F32x16 c) {
    return each([=](int i) { return c.q[i] - a.q[i] * b.q[i]; });
}
TENON_INLINE F32x16 add(F32x16 a, F32x16 b) {
    return each([=](int i) { return a.q[i] + b.q[i]; });
}
TENON_INLINE F32x16 sub(F32x16 a, F32x16 b) {
    return each([=](int i) { return a.q[i] - b.q[i]; });
}
TENON_INLINE F32x16 mul(F32x16 a, F32x16 b) {
    return each([=](int i) { return a.q[i] * b.q[i]; });
}
TENON_INLINE F32x16 div(F32x16 a, F32x16 b) {
    return each([=](int i) { return a.q[i] / b.q[i]; });
}
// mask: all bits or none of each lane; picks a where set.
TENON_INLINE Quad select(QuadBits mask, Quad a, Quad b) {
    return (Quad)((mask & (QuadBits)a) | (~mask & (QuadBits)b));
}
TENON_INLINE F32x16 max(F32x16 bound, F32x16 x) {
    return each([=](int i) { return select(bound.q[i] > x.q[i], bound.q[i], x.q[i]); });
}
TENON_INLINE F32x16 min(F32x16 bound, F32x16 x) {
    return each([=](int i) { return select(bound.q[i] < x.q[i], bound.q[i], x.q[i]); });
}
constexpr int32_t kSignBit = INT32_MIN;
TENON_INLINE F32x16 abs(F32x16 x) {
    return each([=](int i) { return (Quad)((QuadBits)x.q[i] & ~kSignBit); });
}
TENON_INLINE F32x16 with_sign_of(F32x16 magnitude, F32x16 sign) {
    return each([=](int i) { return (Quad)((QuadBits)magnitude.q[i] | ((QuadBits)sign.q[i] & kSignBit)); });
}
TENON_INLINE float sum(F32x16 x) {
    const Quad four = (x.q[0] + x.q[2]) + (x.q[1] + x.q[3]);
    return (four[0] + four[2]) + (four[1] + four[3]);
}
TENON_INLINE float largest(F32x16 x) {
    float out = x.q[0][0];
    for (int i = 1; i < 16; ++i) out = out > x.q[i / 4][i % 4] ? out : x.q[i / 4][i % 4];
    return out;
}
// Exact for |x| < 2^22, which is all that scale_by_power keeps: adding 1.5 * 2^23 leaves no bits for a fraction.
TENON_INLINE F32x16 round_whole(F32x16 x) {
    constexpr float kMagic = 12582912.0f;
    return each([=](int i) { return (x.q[i] + kMagic) - kMagic; });
}
TENON_INLINE F32x16 scale_by_power(F32x16 fraction, F32x16 whole, F32x16 x) {
    return each([=](int i) {
        constexpr float kLowest = -126.0f;
        // Converting infinity or NaN to an integer is undefined, so those lanes are 0 for the conversion.
        const QuadBits inside = (whole.q[i] >= kLowest) & (whole.q[i] <= 126.0f);
        const QuadBits bits = (__builtin_convertvector((Quad)(inside & (QuadBits)whole.q[i]), QuadBits) + 127) << 23;
        return (Quad)(~(x.q[i] < kLowest) & (QuadBits)(fraction.q[i] * (Quad)bits));
    });
}
TENON_INLINE void transpose(F32x16 r[16]) {
    for (int i = 0; i < 16; ++i) {
        for (int j = 0; j < i; ++j) {
            const float swap = r[i].q[j / 4][j % 4];
            r[i].q[j / 4][j % 4] = r[j].q[i / 4][i % 4];
            r[j].q[i / 4][i % 4] = swap;
        }
    }
}

TENON_INLINE F32x16 sums_of_16(const float* p) {
    return lanes([=](int i) { return sum(load(p + i * 16)); });
}

#endif

// e^x for x <= 0 (NaN stays), 0 below 2^-126: 2^(x log2(e)) by the Taylor series of 2^f on |f| <= 1/2, where term 8 is
// below half a unit.
TENON_INLINE F32x16 exp_of_nonpositive(F32x16 exponent) {
    const F32x16 x = mul(exponent, set1(1.44269504f));
    const F32x16 whole = round_whole(x);
    const F32x16 f = sub(x, whole);
    F32x16 p = set1(1.52527338e-5f);
    p = fma(p, f, set1(1.54035304e-4f));
    p = fma(p, f, set1(1.33335581e-3f));
    p = fma(p, f, set1(9.61812911e-3f));
    p = fma(p, f, set1(5.55041087e-2f));
    p = fma(p, f, set1(2.40226507e-1f));
    p = fma(p, f, set1(6.93147181e-1f));
    p = fma(p, f, set1(1.0f));
    return scale_by_power(p, whole, x);
}

}  // namespace tenon::cpu::TENON_ISA
#endif
