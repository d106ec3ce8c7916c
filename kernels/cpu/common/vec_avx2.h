// f32 vectors of 8 lanes. The three vec_<isa>.h have the same interface; vec_scalar.h documents it.
#ifndef TENON_KERNELS_CPU_COMMON_VEC_AVX2_H
#define TENON_KERNELS_CPU_COMMON_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

namespace tenon::cpu::avx2 {
namespace {

constexpr int64_t kLanes = 8;
constexpr bool kHasFma = true;

struct F32 {
    __m256 v;
};
struct Mask {
    __m256 m;
};

alignas(32) constexpr int32_t kFirst[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

inline __m256i first(int64_t n) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kFirst + 8 - n));
}

inline F32 load(const float* p) {
    return {_mm256_loadu_ps(p)};
}
inline F32 load_part(const float* p, int64_t n) {
    return {_mm256_maskload_ps(p, first(n))};
}
inline void store(float* p, F32 a) {
    _mm256_storeu_ps(p, a.v);
}
inline void store_part(float* p, F32 a, int64_t n) {
    _mm256_maskstore_ps(p, first(n), a.v);
}
inline F32 set(float a) {
    return {_mm256_set1_ps(a)};
}
inline F32 operator+(F32 a, F32 b) {
    return {_mm256_add_ps(a.v, b.v)};
}
inline F32 operator-(F32 a, F32 b) {
    return {_mm256_sub_ps(a.v, b.v)};
}
inline F32 operator*(F32 a, F32 b) {
    return {_mm256_mul_ps(a.v, b.v)};
}
inline F32 operator/(F32 a, F32 b) {
    return {_mm256_div_ps(a.v, b.v)};
}
inline F32 fma(F32 a, F32 b, F32 c) {
    return {_mm256_fmadd_ps(a.v, b.v, c.v)};
}
inline F32 fnma(F32 a, F32 b, F32 c) {
    return {_mm256_fnmadd_ps(a.v, b.v, c.v)};
}
inline F32 min_second(F32 a, F32 b) {
    return {_mm256_min_ps(a.v, b.v)};
}
inline F32 max_second(F32 a, F32 b) {
    return {_mm256_max_ps(a.v, b.v)};
}
inline F32 sqrt(F32 a) {
    return {_mm256_sqrt_ps(a.v)};
}
inline F32 floor(F32 a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
}
inline F32 ceil(F32 a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)};
}
inline F32 round_even(F32 a) {
    return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline F32 operator&(F32 a, F32 b) {
    return {_mm256_and_ps(a.v, b.v)};
}
inline F32 operator|(F32 a, F32 b) {
    return {_mm256_or_ps(a.v, b.v)};
}
inline F32 operator^(F32 a, F32 b) {
    return {_mm256_xor_ps(a.v, b.v)};
}
inline F32 and_not(F32 a, F32 b) {
    return {_mm256_andnot_ps(a.v, b.v)};
}
inline Mask operator<(F32 a, F32 b) {
    return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)};
}
inline Mask operator<=(F32 a, F32 b) {
    return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)};
}
inline Mask operator==(F32 a, F32 b) {
    return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)};
}
inline Mask is_nan(F32 a) {
    return {_mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q)};
}
inline F32 select(Mask m, F32 a, F32 b) {
    return {_mm256_blendv_ps(b.v, a.v, m.m)};
}
inline Mask operator&(Mask a, Mask b) {
    return {_mm256_and_ps(a.m, b.m)};
}
inline Mask operator|(Mask a, Mask b) {
    return {_mm256_or_ps(a.m, b.m)};
}
inline bool any(Mask m) {
    return _mm256_movemask_ps(m.m) != 0;
}
inline uint64_t mask_bytes(Mask m) {
    return _pdep_u64(static_cast<uint64_t>(_mm256_movemask_ps(m.m)), 0x0101010101010101u);
}
inline void store_mask(uint8_t* p, Mask m) {
    const uint64_t bytes = mask_bytes(m);
    __builtin_memcpy(p, &bytes, 8);
}
inline void store_mask_part(uint8_t* p, Mask m, int64_t n) {
    const uint64_t bytes = mask_bytes(m);
    __builtin_memcpy(p, &bytes, static_cast<uint64_t>(n));
}
inline Mask load_mask_part(const uint8_t* p, int64_t n) {
    uint64_t bytes = 0;
    __builtin_memcpy(&bytes, p, static_cast<uint64_t>(n));
    const __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(bytes)));
    return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(lanes, _mm256_setzero_si256()))};
}
inline Mask load_mask(const uint8_t* p) {
    return load_mask_part(p, 8);
}
inline F32 load_half(const uint16_t* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
}
inline void store_half(uint16_t* p, F32 a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
inline float sum(F32 a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float max_lane(F32 a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline float min_lane(F32 a) {
    __m128 s = _mm_min_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
    s = _mm_min_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
}
inline F32 keep_part(F32 a, int64_t n, F32 other) {
    return {_mm256_blendv_ps(other.v, a.v, _mm256_castsi256_ps(first(n)))};
}
// In two steps, so that results below the normal range are rounded once and 2^128 need not exist.
inline F32 scale_by_power(F32 a, F32 n) {
    const __m256i i = _mm256_cvtps_epi32(n.v);
    const __m256i half = _mm256_srai_epi32(i, 1), rest = _mm256_sub_epi32(i, half), bias = _mm256_set1_epi32(127);
    const __m256 f1 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    const __m256 f2 = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return {_mm256_mul_ps(_mm256_mul_ps(a.v, f1), f2)};
}
// A subnormal number is first made normal; *less is what its exponent must lose.
inline F32 normal(F32 a, F32* less) {
    const Mask subnormal = and_not(set(-0.0f), a) < set(0x1p-126f);
    *less = select(subnormal, set(32.0f), set(0.0f));
    return select(subnormal, a * set(0x1p32f), a);
}
inline F32 exponent(F32 a) {
    F32 less;
    const __m256i bits = _mm256_castps_si256(normal(a, &less).v);
    const __m256i biased = _mm256_and_si256(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(255));
    return F32{_mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))} - less;
}
inline F32 mantissa(F32 a) {
    F32 less;
    const __m256i bits = _mm256_castps_si256(normal(a, &less).v);
    const __m256i kept = _mm256_and_si256(bits, _mm256_set1_epi32(static_cast<int>(0x807fffffu)));
    return {_mm256_castsi256_ps(_mm256_or_si256(kept, _mm256_set1_epi32(0x3f800000)))};
}

inline void transpose_square(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    __m256 r[8], t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(src + i * src_stride);
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        const __m256d a = _mm256_castps_pd(_mm256_unpacklo_ps(r[i], r[i + 1]));
        const __m256d b = _mm256_castps_pd(_mm256_unpackhi_ps(r[i], r[i + 1]));
        const __m256d c = _mm256_castps_pd(_mm256_unpacklo_ps(r[i + 2], r[i + 3]));
        const __m256d d = _mm256_castps_pd(_mm256_unpackhi_ps(r[i + 2], r[i + 3]));
        t[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, c));
        t[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, c));
        t[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(b, d));
        t[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(b, d));
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
        _mm256_storeu_ps(dst + k * dst_stride, _mm256_permute2f128_ps(t[k], t[k + 4], 0x20));
        _mm256_storeu_ps(dst + (k + 4) * dst_stride, _mm256_permute2f128_ps(t[k], t[k + 4], 0x31));
    }
}

}  // namespace
}  // namespace tenon::cpu::avx2
#endif
