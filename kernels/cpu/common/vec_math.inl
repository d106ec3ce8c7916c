// Functions of f32 vectors, over the types of vec_<isa>.h. TENON_ISA is the namespace.
// All take any argument. NaN gives NaN; infinities give what the formula gives in real arithmetic, except that products
// of 0 and infinity (silu, gelu and mish of -inf) give NaN as the formulas in elementwise.h do.
#ifndef TENON_KERNELS_CPU_COMMON_VEC_MATH_INL
#define TENON_KERNELS_CPU_COMMON_VEC_MATH_INL

namespace tenon::cpu::TENON_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();
constexpr float kLog2E = 1.44269504f;
// ln 2 in two parts; the first has 15 zero bits at its end, so products with exponents are exact without fma.
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

inline F32 abs(F32 x) {
    return and_not(set(-0.0f), x);
}
inline F32 neg(F32 x) {
    return x ^ set(-0.0f);
}
inline F32 copy_sign(F32 magnitude, F32 sign) {
    return and_not(set(-0.0f), magnitude) | (set(-0.0f) & sign);
}
// NaN where either is NaN.
inline F32 max(F32 a, F32 b) {
    return select(is_nan(a), a, max_second(a, b));
}
inline F32 min(F32 a, F32 b) {
    return select(is_nan(a), a, min_second(a, b));
}
// low <= x <= high, or NaN.
inline F32 clamp(F32 x, float low, float high) {
    return min_second(set(high), max_second(set(low), x));
}

// exp(r) = 1 + r + r^2 q(r) for |r| <= ln(2) / 2.
inline F32 exp_tail(F32 r) {
    F32 q = set(1.9875691500e-4f);
    q = fma(q, r, set(1.3981999507e-3f));
    q = fma(q, r, set(8.3334519073e-3f));
    q = fma(q, r, set(4.1665795894e-2f));
    q = fma(q, r, set(1.6666665459e-1f));
    return fma(q, r, set(5.0000001201e-1f));
}
// x = n ln 2 + r.
inline F32 exp_reduce(F32 x, F32* n) {
    *n = round_even(x * set(kLog2E));
    return fnma(*n, set(kLn2Low), fnma(*n, set(kLn2High), x));
}
inline F32 exp(F32 x) {
    F32 n;
    const F32 r = exp_reduce(clamp(x, -104.0f, 89.0f), &n);
    const F32 p = fma(exp_tail(r), r * r, r) + set(1.0f);
    return scale_by_power(p, n);
}
// exp(x) - 1 for x <= 0 without cancellation.
inline F32 expm1_negative(F32 x) {
    F32 n;
    const F32 r = exp_reduce(clamp(x, -40.0f, 0.0f), &n);
    const F32 p = fma(exp_tail(r), r * r, r);
    const F32 power = scale_by_power(set(1.0f), n);
    return select(abs(x) < set(1e-5f), fma(x * set(0.5f), x, x), fma(p, power, power - set(1.0f)));
}

// log(x) for finite x > 0.
inline F32 log_positive(F32 x) {
    F32 e = exponent(x), m = mantissa(x);
    const Mask high = set(1.41421356f) < m;
    m = select(high, m * set(0.5f), m) - set(1.0f);
    e = select(high, e + set(1.0f), e);
    const F32 square = m * m;
    F32 p = set(7.0376836292e-2f);
    p = fma(p, m, set(-1.1514610310e-1f));
    p = fma(p, m, set(1.1676998740e-1f));
    p = fma(p, m, set(-1.2420140846e-1f));
    p = fma(p, m, set(1.4249322787e-1f));
    p = fma(p, m, set(-1.6668057665e-1f));
    p = fma(p, m, set(2.0000714765e-1f));
    p = fma(p, m, set(-2.4999993993e-1f));
    p = fma(p, m, set(3.3333331174e-1f));
    p = p * m * square;
    p = fma(e, set(kLn2Low), p);
    p = fnma(set(0.5f), square, p);
    return fma(e, set(kLn2High), m + p);
}
inline F32 log(F32 x) {
    F32 y = log_positive(x);
    y = select(x == set(kInfinity), x, y);
    y = select(x == set(0.0f), set(-kInfinity), y);
    return select(set(0.0f) <= x, y, set(__builtin_nanf("")));
}
// log(1 + e) for 0 <= e <= 1: the rounding error of 1 + e is put back.
inline F32 log1p_unit(F32 e) {
    const F32 u = set(1.0f) + e;
    return log_positive(u) + (e - (u - set(1.0f))) / u;
}

inline F32 sigmoid(F32 x) {
    const F32 e = exp(neg(abs(x)));
    return select(x < set(0.0f), e, set(1.0f)) / (set(1.0f) + e);
}
inline F32 tanh(F32 x) {
    const F32 a = abs(x), s = x * x;
    F32 p = set(-5.70498872745e-3f);
    p = fma(p, s, set(2.06390887954e-2f));
    p = fma(p, s, set(-5.37397155531e-2f));
    p = fma(p, s, set(1.33314422036e-1f));
    p = fma(p, s, set(-3.33332819422e-1f));
    const F32 small = fma(p * s, x, x);
    const F32 large = set(1.0f) - set(2.0f) / (exp(a + a) + set(1.0f));
    return select(a < set(0.625f), small, copy_sign(large, x));
}
// Two polynomials, split at 475 / 512; the upper one is the exponent of 1 - erf.
inline F32 erf(F32 x) {
    const F32 a = abs(x), s = x * x;
    F32 p = set(-5.96761703e-4f);
    p = fma(p, s, set(4.99119423e-3f));
    p = fma(p, s, set(-2.67681349e-2f));
    p = fma(p, s, set(1.12819925e-1f));
    p = fma(p, s, set(-3.76125336e-1f));
    p = fma(p, s, set(1.28379166e-1f));
    const F32 small = fma(p, x, x);
    const F32 t = min_second(set(4.0f), a), u = t * t;
    F32 q = fma(set(-1.72853470e-5f), t, set(3.83197126e-4f));
    const F32 q_low = fma(set(-3.88396438e-3f), t, set(2.42546219e-2f));
    q = fma(q, u, q_low);
    q = fma(q, t, set(-1.06777877e-1f));
    q = fma(q, t, set(-6.34846687e-1f));
    q = fma(q, t, set(-1.28717512e-1f));
    q = fma(q, t, neg(t));
    const F32 large = set(1.0f) - exp(q);
    return select(a <= set(0.927734375f), small, copy_sign(large, x));
}

inline F32 relu(F32 x) {
    return max_second(set(0.0f), x);
}
inline F32 silu(F32 x, float a) {
    return x * sigmoid(x * set(a));
}
inline F32 softplus(F32 x) {
    return relu(x) + log1p_unit(exp(neg(abs(x))));
}
inline F32 gelu_erf(F32 x) {
    const F32 half = x * set(0.5f);
    return fma(half, erf(x * set(0.707106781f)), half);
}
// (1 + tanh(u)) / 2 = sigmoid(2 u).
inline F32 gelu_tanh(F32 x) {
    const F32 cubic = fma(x * x * x, set(0.044715f), x);
    return x * sigmoid(cubic * set(1.59576912f));
}
// tanh(log(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2) with e = exp(x).
inline F32 mish(F32 x) {
    const F32 e = exp(min_second(set(20.0f), x));
    const F32 n = fma(e, e, e + e);
    return x * (n / (n + set(2.0f)));
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
#endif
