// f32 vectors of 16 lanes. The three vec_<isa>.h have the same interface; vec_scalar.h documents it.
#ifndef TENON_KERNELS_CPU_COMMON_VEC_AVX512_H
#define TENON_KERNELS_CPU_COMMON_VEC_AVX512_H

// GCC's own headers pass deliberately undefined vectors, which it then warns about (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#include <stdint.h>

namespace tenon::cpu::avx512 {
namespace {

constexpr int64_t kLanes = 16;
constexpr bool kHasFma = true;

struct F32 {
    __m512 v;
};
struct Mask {
    __mmask16 m;
};

inline __mmask16 first(int64_t n) {
    return static_cast<__mmask16>(_bzhi_u32(0xffffu, static_cast<uint32_t>(n)));
}

inline F32 load(const float* p) {
    return {_mm512_loadu_ps(p)};
}
inline F32 load_part(const float* p, int64_t n) {
    return {_mm512_maskz_loadu_ps(first(n), p)};
}
inline void store(float* p, F32 a) {
    _mm512_storeu_ps(p, a.v);
}
inline void store_part(float* p, F32 a, int64_t n) {
    _mm512_mask_storeu_ps(p, first(n), a.v);
}
inline F32 set(float a) {
    return {_mm512_set1_ps(a)};
}
inline F32 operator+(F32 a, F32 b) {
    return {_mm512_add_ps(a.v, b.v)};
}
inline F32 operator-(F32 a, F32 b) {
    return {_mm512_sub_ps(a.v, b.v)};
}
inline F32 operator*(F32 a, F32 b) {
    return {_mm512_mul_ps(a.v, b.v)};
}
inline F32 operator/(F32 a, F32 b) {
    return {_mm512_div_ps(a.v, b.v)};
}
inline F32 fma(F32 a, F32 b, F32 c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
}
inline F32 fnma(F32 a, F32 b, F32 c) {
    return {_mm512_fnmadd_ps(a.v, b.v, c.v)};
}
inline F32 min_second(F32 a, F32 b) {
    return {_mm512_min_ps(a.v, b.v)};
}
inline F32 max_second(F32 a, F32 b) {
    return {_mm512_max_ps(a.v, b.v)};
}
inline F32 sqrt(F32 a) {
    return {_mm512_sqrt_ps(a.v)};
}
inline F32 floor(F32 a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
}
inline F32 ceil(F32 a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC)};
}
inline F32 round_even(F32 a) {
    return {_mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline F32 operator&(F32 a, F32 b) {
    return {_mm512_and_ps(a.v, b.v)};
}
inline F32 operator|(F32 a, F32 b) {
    return {_mm512_or_ps(a.v, b.v)};
}
inline F32 operator^(F32 a, F32 b) {
    return {_mm512_xor_ps(a.v, b.v)};
}
inline F32 and_not(F32 a, F32 b) {
    return {_mm512_andnot_ps(a.v, b.v)};
}
inline Mask operator<(F32 a, F32 b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)};
}
inline Mask operator<=(F32 a, F32 b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)};
}
inline Mask operator==(F32 a, F32 b) {
    return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)};
}
inline Mask is_nan(F32 a) {
    return {_mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q)};
}
inline F32 select(Mask m, F32 a, F32 b) {
    return {_mm512_mask_blend_ps(m.m, b.v, a.v)};
}
inline Mask operator&(Mask a, Mask b) {
    return {static_cast<__mmask16>(a.m & b.m)};
}
inline Mask operator|(Mask a, Mask b) {
    return {static_cast<__mmask16>(a.m | b.m)};
}
inline bool any(Mask m) {
    return m.m != 0;
}
inline void store_mask(uint8_t* p, Mask m) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_maskz_set1_epi8(m.m, 1));
}
inline void store_mask_part(uint8_t* p, Mask m, int64_t n) {
    _mm_mask_storeu_epi8(p, first(n), _mm_maskz_set1_epi8(m.m, 1));
}
inline Mask load_mask(const uint8_t* p) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm_test_epi8_mask(bytes, bytes)};
}
inline Mask load_mask_part(const uint8_t* p, int64_t n) {
    const __m128i bytes = _mm_maskz_loadu_epi8(first(n), p);
    return {_mm_test_epi8_mask(bytes, bytes)};
}
inline F32 load_half(const uint16_t* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
}
inline void store_half(uint16_t* p, F32 a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a.v, _MM_FROUND_TO_NEAREST_INT));
}
inline float sum(F32 a) {
    return _mm512_reduce_add_ps(a.v);
}
inline float max_lane(F32 a) {
    return _mm512_reduce_max_ps(a.v);
}
inline float min_lane(F32 a) {
    return _mm512_reduce_min_ps(a.v);
}
inline F32 keep_part(F32 a, int64_t n, F32 other) {
    return {_mm512_mask_blend_ps(first(n), other.v, a.v)};
}
inline F32 scale_by_power(F32 a, F32 n) {
    return {_mm512_scalef_ps(a.v, n.v)};
}
inline F32 exponent(F32 a) {
    return {_mm512_getexp_ps(a.v)};
}
inline F32 mantissa(F32 a) {
    return {_mm512_getmant_ps(a.v, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src)};
}

// Rows of 4-lane groups are interleaved twice within 128 bits, then the 128-bit parts are transposed twice.
inline void transpose_square(const float* src, int64_t src_stride, float* dst, int64_t dst_stride) {
    __m512 r[16], t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_ps(src + i * src_stride);
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
        const __m512d a = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
        const __m512d b = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
        const __m512d c = _mm512_castps_pd(_mm512_unpacklo_ps(r[i + 2], r[i + 3]));
        const __m512d d = _mm512_castps_pd(_mm512_unpackhi_ps(r[i + 2], r[i + 3]));
        t[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
        t[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
        t[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
        t[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
    }
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
        const __m512 low = _mm512_shuffle_f32x4(t[k], t[k + 4], 0x88),
                     low2 = _mm512_shuffle_f32x4(t[k + 8], t[k + 12], 0x88);
        const __m512 high = _mm512_shuffle_f32x4(t[k], t[k + 4], 0xdd),
                     high2 = _mm512_shuffle_f32x4(t[k + 8], t[k + 12], 0xdd);
        _mm512_storeu_ps(dst + k * dst_stride, _mm512_shuffle_f32x4(low, low2, 0x88));
        _mm512_storeu_ps(dst + (k + 4) * dst_stride, _mm512_shuffle_f32x4(high, high2, 0x88));
        _mm512_storeu_ps(dst + (k + 8) * dst_stride, _mm512_shuffle_f32x4(low, low2, 0xdd));
        _mm512_storeu_ps(dst + (k + 12) * dst_stride, _mm512_shuffle_f32x4(high, high2, 0xdd));
    }
}

}  // namespace
}  // namespace tenon::cpu::avx512
#endif
