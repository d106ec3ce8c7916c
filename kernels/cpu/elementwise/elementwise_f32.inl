// f32 block functions over the vectors of vec_<isa>.h.

namespace tenon::cpu::TENON_ISA {
namespace {

using BlockFn = ElementwiseProgram::BlockFn;

template <auto fn>
uint32_t f32_unary(const void* a, const void*, const void*, void* out, int64_t n, const double* params) {
    const float* x = static_cast<const float*>(a);
    float* y = static_cast<float*>(out);
    const float alpha = static_cast<float>(params[0]), beta = static_cast<float>(params[1]);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, fn(load(x + i), alpha, beta));
    if (i < n) store_part(y + i, fn(load_part(x + i, n - i), alpha, beta), n - i);
    return 0;
}

template <auto fn>
uint32_t f32_binary(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const float *x = static_cast<const float*>(a), *z = static_cast<const float*>(b);
    float* y = static_cast<float*>(out);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, fn(load(x + i), load(z + i)));
    if (i < n) store_part(y + i, fn(load_part(x + i, n - i), load_part(z + i, n - i)), n - i);
    return 0;
}

template <auto fn>
uint32_t f32_test(const void* a, const void*, const void*, void* out, int64_t n, const double* params) {
    const float* x = static_cast<const float*>(a);
    uint8_t* y = static_cast<uint8_t*>(out);
    const float alpha = static_cast<float>(params[0]), beta = static_cast<float>(params[1]);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store_mask(y + i, fn(load(x + i), alpha, beta));
    if (i < n) store_mask_part(y + i, fn(load_part(x + i, n - i), alpha, beta), n - i);
    return 0;
}

template <auto fn>
uint32_t f32_compare(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const float *x = static_cast<const float*>(a), *z = static_cast<const float*>(b);
    uint8_t* y = static_cast<uint8_t*>(out);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store_mask(y + i, fn(load(x + i), load(z + i)));
    if (i < n) store_mask_part(y + i, fn(load_part(x + i, n - i), load_part(z + i, n - i)), n - i);
    return 0;
}

// Any 4-byte type: lanes are moved, not computed with.
uint32_t f32_where(const void* a, const void* b, const void* c, void* out, int64_t n, const double*) {
    const uint8_t* m = static_cast<const uint8_t*>(a);
    const float *x = static_cast<const float*>(b), *z = static_cast<const float*>(c);
    float* y = static_cast<float*>(out);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, select(load_mask(m + i), load(x + i), load(z + i)));
    if (i < n) {
        const int64_t rest = n - i;
        store_part(y + i, select(load_mask_part(m + i, rest), load_part(x + i, rest), load_part(z + i, rest)), rest);
    }
    return 0;
}

// The C library's function, element by element.
template <auto fn>
uint32_t f32_libm(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const float* x = static_cast<const float*>(a);
    float* y = static_cast<float*>(out);
    for (int64_t i = 0; i < n; ++i) y[i] = fn(x[i]);
    return 0;
}

template <auto fn>
uint32_t f32_libm2(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const float *x = static_cast<const float*>(a), *z = static_cast<const float*>(b);
    float* y = static_cast<float*>(out);
    for (int64_t i = 0; i < n; ++i) y[i] = fn(x[i], z[i]);
    return 0;
}

// sin(x + quarter * pi / 2). x = n pi / 2 + r with pi / 2 in three parts, which is exact enough while |x| < 71476 and
// needs fma; other arguments go to the C library.
template <int quarter>
F32 sin_quarter(F32 x) {
    const F32 n = round_even(x * set(0.636619747f));
    F32 r = fnma(n, set(0x1.921fb0p+0f), x);
    r = fnma(n, set(0x1.5110b4p-22f), r);
    r = fnma(n, set(0x1.846988p-48f), r);
    const F32 s = r * r;
    F32 p = fma(set(2.86567956e-6f), s, set(-1.98559923e-4f));
    p = fma(p, s, set(8.33338592e-3f));
    p = fma(p, s, set(-1.66666672e-1f));
    const F32 sine = fma(p, r * s, r);
    F32 q = fma(set(2.44677067e-5f), s, set(-1.38877297e-3f));
    q = fma(q, s, set(4.16666567e-2f));
    q = fma(q, s, set(-0.5f));
    const F32 cosine = fma(q, s, set(1.0f));
    const F32 turn = n + set(static_cast<float>(quarter));
    const F32 k = turn - floor(turn * set(0.25f)) * set(4.0f);  // 0, 1, 2, 3
    const Mask odd = (k == set(1.0f)) | (k == set(3.0f));
    F32 y = select(odd, cosine, select(x == set(0.0f), x, sine));
    return select(set(1.5f) < k, neg(y), y);
}

template <int quarter>
float sin_libm(float x) {
    return quarter == 0 ? __builtin_sinf(x) : __builtin_cosf(x);
}

template <int quarter>
uint32_t f32_sin(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const float* x = static_cast<const float*>(a);
    float* y = static_cast<float*>(out);
    int64_t i = 0;
    for (; i < n; i += kLanes) {
        const int64_t count = n - i < kLanes ? n - i : kLanes;
        const F32 v = load_part(x + i, count);
        if (kHasFma && !any((set(71476.0f) <= abs(v)) | is_nan(v))) {
            store_part(y + i, sin_quarter<quarter>(v), count);
        } else {
            for (int64_t k = i; k < i + count; ++k) y[k] = sin_libm<quarter>(x[k]);
        }
    }
    return 0;
}

// One exponent for a whole block is common; small integers are products.
uint32_t f32_pow(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const float *x = static_cast<const float*>(a), *z = static_cast<const float*>(b);
    float* y = static_cast<float*>(out);
    if (n == 0) return 0;
    const float first_exponent = z[0];
    bool same = true;
    for (int64_t i = 1; i < n && same; ++i) same = z[i] == first_exponent;
    const double none[2] = {0, 0};
    if (same && first_exponent == 2.0f) {
        return f32_unary<[](F32 v, float, float) { return v * v; }>(a, nullptr, nullptr, out, n, none);
    }
    if (same && first_exponent == 3.0f) {
        return f32_unary<[](F32 v, float, float) { return v * v * v; }>(a, nullptr, nullptr, out, n, none);
    }
    if (same && first_exponent == 1.0f) {
        __builtin_memmove(out, a, static_cast<uint64_t>(n) * 4);
        return 0;
    }
    for (int64_t i = 0; i < n; ++i) y[i] = __builtin_powf(x[i], z[i]);
    return 0;
}

float f32_mod(float x, float y) {
    const float r = __builtin_fmodf(x, y);
    if (r == 0) return __builtin_copysignf(0.0f, y);
    return (r < 0) != (y < 0) ? r + y : r;
}

BlockFn f32_function(Function function) {
#define TENON_UNARY(expression) \
    f32_unary<[](F32 x, [[maybe_unused]] float a, [[maybe_unused]] float b) { return (expression); }>
#define TENON_BINARY(expression) f32_binary<[](F32 x, F32 y) { return (expression); }>
#define TENON_TEST(expression) \
    f32_test<[](F32 x, [[maybe_unused]] float a, [[maybe_unused]] float b) { return (expression); }>
#define TENON_COMPARE(expression) f32_compare<[](F32 x, F32 y) { return (expression); }>
#define TENON_LIBM(name) f32_libm<[](float x) { return __builtin_##name##f(x); }>
    switch (function) {
        case Function::abs:
            return TENON_UNARY(abs(x));
        case Function::neg:
            return TENON_UNARY(neg(x));
        case Function::sign:
            return TENON_UNARY(select(x < set(0.0f), set(-1.0f), select(set(0.0f) < x, set(1.0f), x)));
        case Function::sqrt:
            return TENON_UNARY(sqrt(x));
        case Function::rsqrt:
            return TENON_UNARY(set(1.0f) / sqrt(x));
        case Function::reciprocal:
            return TENON_UNARY(set(1.0f) / x);
        case Function::exp:
            return TENON_UNARY(exp(x));
        case Function::log:
            return TENON_UNARY(log(x));
        case Function::sin:
            return f32_sin<0>;
        case Function::cos:
            return f32_sin<1>;
        case Function::tan:
            return TENON_LIBM(tan);
        case Function::asin:
            return TENON_LIBM(asin);
        case Function::acos:
            return TENON_LIBM(acos);
        case Function::atan:
            return TENON_LIBM(atan);
        case Function::sinh:
            return TENON_LIBM(sinh);
        case Function::cosh:
            return TENON_LIBM(cosh);
        case Function::tanh:
            return TENON_UNARY(tanh(x));
        case Function::asinh:
            return TENON_LIBM(asinh);
        case Function::acosh:
            return TENON_LIBM(acosh);
        case Function::atanh:
            return TENON_LIBM(atanh);
        case Function::erf:
            return TENON_UNARY(erf(x));
        case Function::floor:
            return TENON_UNARY(floor(x));
        case Function::ceil:
            return TENON_UNARY(ceil(x));
        case Function::round:
            return TENON_UNARY(round_even(x));
        case Function::relu:
            return TENON_UNARY(relu(x));
        case Function::leaky_relu:
            return TENON_UNARY(select(x < set(0.0f), set(a) * x, x));
        case Function::elu:
            return TENON_UNARY(select(x < set(0.0f), set(a) * expm1_negative(x), x));
        case Function::selu:
            return TENON_UNARY(set(b) * select(x < set(0.0f), set(a) * expm1_negative(x), x));
        case Function::celu:
            return TENON_UNARY(select(x < set(0.0f), set(a) * expm1_negative(x / set(a)), x));
        case Function::sigmoid:
            return TENON_UNARY(sigmoid(x));
        case Function::hard_sigmoid:
            return TENON_UNARY(clamp(fma(set(a), x, set(b)), 0.0f, 1.0f));
        case Function::hard_swish:
            return TENON_UNARY(x * clamp(fma(set(a), x, set(b)), 0.0f, 1.0f));
        case Function::silu:
            return TENON_UNARY(silu(x, a));
        case Function::softplus:
            return TENON_UNARY(softplus(x));
        case Function::softsign:
            return TENON_UNARY(x / (set(1.0f) + abs(x)));
        case Function::mish:
            return TENON_UNARY(mish(x));
        case Function::gelu_erf:
            return TENON_UNARY(gelu_erf(x));
        case Function::gelu_tanh:
            return TENON_UNARY(gelu_tanh(x));
        case Function::thresholded_relu:
            return TENON_UNARY(select(x <= set(a), set(0.0f), x));
        case Function::shrink:
            return TENON_UNARY(select(x < set(-b), x + set(a), select(set(b) < x, x - set(a), set(0.0f))));
        case Function::clip:
            return TENON_UNARY(clamp(x, a, b));
        case Function::linear:
            return TENON_UNARY(fma(set(a), x, set(b)));
        case Function::is_nan:
            return TENON_TEST(is_nan(x));
        case Function::is_inf:
            return TENON_TEST((x == set(a != 0 ? kInfinity : __builtin_nanf(""))) |
                              (x == set(b != 0 ? -kInfinity : __builtin_nanf(""))));
        case Function::add:
            return TENON_BINARY(x + y);
        case Function::sub:
            return TENON_BINARY(x - y);
        case Function::mul:
            return TENON_BINARY(x * y);
        case Function::div:
            return TENON_BINARY(x / y);
        case Function::mod:
            return f32_libm2<f32_mod>;
        case Function::fmod:
            return f32_libm2<[](float x, float y) { return __builtin_fmodf(x, y); }>;
        case Function::min:
            return TENON_BINARY(min(x, y));
        case Function::max:
            return TENON_BINARY(max(x, y));
        case Function::pow:
            return f32_pow;
        case Function::prelu:
            return TENON_BINARY(select(x < set(0.0f), y * x, x));
        case Function::equal:
            return TENON_COMPARE(x == y);
        case Function::less:
            return TENON_COMPARE(x < y);
        case Function::less_equal:
            return TENON_COMPARE(x <= y);
        case Function::greater:
            return TENON_COMPARE(y < x);
        case Function::greater_equal:
            return TENON_COMPARE(y <= x);
        default:
            return nullptr;
    }
#undef TENON_UNARY
#undef TENON_BINARY
#undef TENON_TEST
#undef TENON_COMPARE
#undef TENON_LIBM
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
