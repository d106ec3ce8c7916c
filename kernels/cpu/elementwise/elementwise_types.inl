// Block functions of the other types: f64, integers, boolean. Plain loops, left to the compiler.

namespace tenon::cpu::TENON_ISA {
namespace {

template <class T>
struct Wide {  // unsigned, at least as wide as int: arithmetic in it wraps
    using Type = uint32_t;
};
template <>
struct Wide<int64_t> {
    using Type = uint64_t;
};
template <>
struct Wide<uint64_t> {
    using Type = uint64_t;
};

template <class T>
constexpr bool kSigned = static_cast<T>(-1) < static_cast<T>(0);
template <class T>
constexpr T kLowest = kSigned<T> ? static_cast<T>(static_cast<uint64_t>(1) << (sizeof(T) * 8 - 1)) : static_cast<T>(0);
template <class T>
constexpr T kHighest = static_cast<T>(~kLowest<T>);

template <class T, auto fn>
uint32_t map1(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const T* x = static_cast<const T*>(a);
    auto* y = static_cast<decltype(fn(T{}))*>(out);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = fn(x[i]);
    return 0;
}

template <class T, auto fn>
uint32_t map_params(const void* a, const void*, const void*, void* out, int64_t n, const double* params) {
    const T* x = static_cast<const T*>(a);
    auto* y = static_cast<decltype(fn(T{}, 0.0, 0.0))*>(out);
    const double alpha = params[0], beta = params[1];
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = fn(x[i], alpha, beta);
    return 0;
}

template <class T, class S, auto fn>
uint32_t map2(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const T* x = static_cast<const T*>(a);
    const S* z = static_cast<const S*>(b);
    auto* y = static_cast<decltype(fn(T{}, S{}))*>(out);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = fn(x[i], z[i]);
    return 0;
}

// Division and its kin: fn must not divide by 0, and the type's lowest value / -1 is asked as -x.
template <class T, auto fn>
uint32_t map_divide(const void* a, const void* b, const void*, void* out, int64_t n, const double*) {
    const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
    T* y = static_cast<T*>(out);
    uint32_t flags = 0;
    for (int64_t i = 0; i < n; ++i) {
        if (z[i] == 0) flags = kElementwiseDivisionByZero;
        y[i] = z[i] == 0 ? static_cast<T>(0) : fn(x[i], z[i]);
    }
    return flags;
}

// x ? y : z for values of sizeof(T) bytes.
template <class T>
uint32_t select_bytes(const void* a, const void* b, const void* c, void* out, int64_t n, const double*) {
    const uint8_t* m = static_cast<const uint8_t*>(a);
    const T *x = static_cast<const T*>(b), *z = static_cast<const T*>(c);
    T* y = static_cast<T*>(out);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = m[i] != 0 ? x[i] : z[i];
    return 0;
}

template <int bytes>
uint32_t copy_bytes(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    __builtin_memmove(out, a, static_cast<uint64_t>(n) * bytes);
    return 0;
}

template <class T>
T negate(T x) {
    return static_cast<T>(typename Wide<T>::Type{0} - static_cast<typename Wide<T>::Type>(x));
}
template <class T>
bool is_minus_one(T y) {
    return kSigned<T> && y == static_cast<T>(-1);
}
template <class T>
T int_divide(T x, T y) {
    return is_minus_one(y) ? negate(x) : static_cast<T>(x / y);
}
template <class T>
T int_fmod(T x, T y) {
    return is_minus_one(y) ? static_cast<T>(0) : static_cast<T>(x % y);
}
template <class T>
T int_mod(T x, T y) {
    const T r = int_fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
}
template <class T>
T int_power(T x, int64_t y) {
    using U = typename Wide<T>::Type;
    if (y < 0) {
        if (x == 1) return 1;
        if (is_minus_one(x)) return (y & 1) != 0 ? x : static_cast<T>(1);
        return 0;
    }
    U result = 1, base = static_cast<U>(x);
    for (; y != 0; y >>= 1) {
        if ((y & 1) != 0) result *= base;
        base *= base;
    }
    return static_cast<T>(result);
}
// Saturates; NaN gives 0.
template <class T>
T int_from_double(double v) {
    constexpr double low = static_cast<double>(kLowest<T>), high = static_cast<double>(kHighest<T>);
    if (!(v > low)) return v <= low ? kLowest<T> : static_cast<T>(0);
    return v >= high ? kHighest<T> : static_cast<T>(v);
}
template <class T>
T int_shift_left(T x, T y) {
    if (y < 0 || static_cast<uint64_t>(y) >= sizeof(T) * 8) return 0;
    return static_cast<T>(static_cast<typename Wide<T>::Type>(x) << y);
}
template <class T>
T int_shift_right(T x, T y) {
    if (y < 0 || static_cast<uint64_t>(y) >= sizeof(T) * 8) return x < 0 ? static_cast<T>(-1) : static_cast<T>(0);
    return static_cast<T>(x >> y);
}

#define TENON_MAP1(expression) map1<T, [](T x) { return (expression); }>
#define TENON_MAP2(expression) map2<T, T, [](T x, T y) { return (expression); }>
#define TENON_MAPP(expression) \
    map_params<T, [](T x, [[maybe_unused]] double a, [[maybe_unused]] double b) { return (expression); }>
#define TENON_COMPARISONS                                \
    case Function::equal:                                \
        return TENON_MAP2(static_cast<uint8_t>(x == y)); \
    case Function::less:                                 \
        return TENON_MAP2(static_cast<uint8_t>(x < y));  \
    case Function::less_equal:                           \
        return TENON_MAP2(static_cast<uint8_t>(x <= y)); \
    case Function::greater:                              \
        return TENON_MAP2(static_cast<uint8_t>(x > y));  \
    case Function::greater_equal:                        \
        return TENON_MAP2(static_cast<uint8_t>(x >= y));

template <class T>
BlockFn int_function(Function function, ElementType source) {
    using U = typename Wide<T>::Type;
    switch (function) {
        case Function::abs:
            return TENON_MAP1(x < 0 ? negate(x) : x);
        case Function::neg:
            return TENON_MAP1(negate(x));
        case Function::sign:
            return TENON_MAP1(static_cast<T>((x > 0) - (x < 0)));
        case Function::relu:
            return TENON_MAP1(x < 0 ? static_cast<T>(0) : x);
        case Function::clip:
            return map_params<T, [](T x, double a, double b) {
                const T low = int_from_double<T>(a), high = int_from_double<T>(b), v = x < low ? low : x;
                return high < v ? high : v;
            }>;
        case Function::bit_not:
            return TENON_MAP1(static_cast<T>(~x));
        case Function::add:
            return TENON_MAP2(static_cast<T>(static_cast<U>(x) + static_cast<U>(y)));
        case Function::sub:
            return TENON_MAP2(static_cast<T>(static_cast<U>(x) - static_cast<U>(y)));
        case Function::mul:
            return TENON_MAP2(static_cast<T>(static_cast<U>(x) * static_cast<U>(y)));
        case Function::div:
            return map_divide<T, int_divide<T>>;
        case Function::mod:
            return map_divide<T, int_mod<T>>;
        case Function::fmod:
            return map_divide<T, int_fmod<T>>;
        case Function::min:
            return TENON_MAP2(y < x ? y : x);
        case Function::max:
            return TENON_MAP2(x < y ? y : x);
        case Function::pow:
            if (source == ElementType::i64) return map2<T, int64_t, int_power<T>>;
            if (source != ElementType::f64) return nullptr;
            return map2<T, double,
                        [](T x, double y) { return int_from_double<T>(__builtin_pow(static_cast<double>(x), y)); }>;
        case Function::prelu:
            return TENON_MAP2(x < 0 ? static_cast<T>(static_cast<U>(x) * static_cast<U>(y)) : x);
        case Function::bit_and:
            return TENON_MAP2(static_cast<T>(x & y));
        case Function::bit_or:
            return TENON_MAP2(static_cast<T>(x | y));
        case Function::bit_xor:
            return TENON_MAP2(static_cast<T>(x ^ y));
        case Function::shift_left:
            return map2<T, T, int_shift_left<T>>;
        case Function::shift_right:
            return map2<T, T, int_shift_right<T>>;
            TENON_COMPARISONS
        default:
            return nullptr;
    }
}

double f64_mod(double x, double y) {
    const double r = __builtin_fmod(x, y);
    if (r == 0) return __builtin_copysign(0.0, y);
    return (r < 0) != (y < 0) ? r + y : r;
}
double f64_sigmoid(double x) {
    const double e = __builtin_exp(-__builtin_fabs(x));
    return (x < 0 ? e : 1.0) / (1.0 + e);
}
double f64_softplus(double x) {
    return (x < 0 ? 0.0 : x) + __builtin_log1p(__builtin_exp(-__builtin_fabs(x)));
}
double f64_clamp(double x, double low, double high) {
    return x < low ? low : x > high ? high : x;
}

BlockFn f64_function(Function function) {
    using T = double;
    switch (function) {
        case Function::abs:
            return TENON_MAP1(__builtin_fabs(x));
        case Function::neg:
            return TENON_MAP1(-x);
        case Function::sign:
            return TENON_MAP1(x < 0 ? -1.0 : x > 0 ? 1.0 : x);
        case Function::sqrt:
            return TENON_MAP1(__builtin_sqrt(x));
        case Function::rsqrt:
            return TENON_MAP1(1.0 / __builtin_sqrt(x));
        case Function::reciprocal:
            return TENON_MAP1(1.0 / x);
        case Function::exp:
            return TENON_MAP1(__builtin_exp(x));
        case Function::log:
            return TENON_MAP1(__builtin_log(x));
        case Function::sin:
            return TENON_MAP1(__builtin_sin(x));
        case Function::cos:
            return TENON_MAP1(__builtin_cos(x));
        case Function::tan:
            return TENON_MAP1(__builtin_tan(x));
        case Function::asin:
            return TENON_MAP1(__builtin_asin(x));
        case Function::acos:
            return TENON_MAP1(__builtin_acos(x));
        case Function::atan:
            return TENON_MAP1(__builtin_atan(x));
        case Function::sinh:
            return TENON_MAP1(__builtin_sinh(x));
        case Function::cosh:
            return TENON_MAP1(__builtin_cosh(x));
        case Function::tanh:
            return TENON_MAP1(__builtin_tanh(x));
        case Function::asinh:
            return TENON_MAP1(__builtin_asinh(x));
        case Function::acosh:
            return TENON_MAP1(__builtin_acosh(x));
        case Function::atanh:
            return TENON_MAP1(__builtin_atanh(x));
        case Function::erf:
            return TENON_MAP1(__builtin_erf(x));
        case Function::floor:
            return TENON_MAP1(__builtin_floor(x));
        case Function::ceil:
            return TENON_MAP1(__builtin_ceil(x));
        case Function::round:
            return TENON_MAP1(__builtin_rint(x));
        case Function::relu:
            return TENON_MAP1(x < 0 ? 0.0 : x);
        case Function::leaky_relu:
            return TENON_MAPP(x < 0 ? a * x : x);
        case Function::elu:
            return TENON_MAPP(x < 0 ? a * __builtin_expm1(x) : x);
        case Function::selu:
            return TENON_MAPP(b * (x < 0 ? a * __builtin_expm1(x) : x));
        case Function::celu:
            return TENON_MAPP(x < 0 ? a * __builtin_expm1(x / a) : x);
        case Function::sigmoid:
            return TENON_MAP1(f64_sigmoid(x));
        case Function::hard_sigmoid:
            return TENON_MAPP(f64_clamp(a * x + b, 0.0, 1.0));
        case Function::hard_swish:
            return TENON_MAPP(x * f64_clamp(a * x + b, 0.0, 1.0));
        case Function::silu:
            return TENON_MAPP(x * f64_sigmoid(a * x));
        case Function::softplus:
            return TENON_MAP1(f64_softplus(x));
        case Function::softsign:
            return TENON_MAP1(x / (1.0 + __builtin_fabs(x)));
        case Function::mish:
            return TENON_MAP1(x * __builtin_tanh(f64_softplus(x)));
        case Function::gelu_erf:
            return TENON_MAP1(0.5 * x * (1.0 + __builtin_erf(x * 0.70710678118654752440)));
        case Function::gelu_tanh:
            return TENON_MAP1(x * f64_sigmoid(1.59576912160573071176 * (x + 0.044715 * x * x * x)));
        case Function::thresholded_relu:
            return TENON_MAPP(x <= a ? 0.0 : x);
        case Function::shrink:
            return TENON_MAPP(x < -b ? x + a : x > b ? x - a : 0.0);
        case Function::clip:
            return TENON_MAPP(f64_clamp(x, a, b));
        case Function::linear:
            return TENON_MAPP(a * x + b);
        case Function::is_nan:
            return TENON_MAP1(static_cast<uint8_t>(x != x));
        case Function::is_inf:
            return TENON_MAPP(
                static_cast<uint8_t>((a != 0 && x == __builtin_inf()) || (b != 0 && x == -__builtin_inf())));
        case Function::add:
            return TENON_MAP2(x + y);
        case Function::sub:
            return TENON_MAP2(x - y);
        case Function::mul:
            return TENON_MAP2(x * y);
        case Function::div:
            return TENON_MAP2(x / y);
        case Function::mod:
            return map2<T, T, f64_mod>;
        case Function::fmod:
            return TENON_MAP2(__builtin_fmod(x, y));
        case Function::min:
            return TENON_MAP2(x != x || x < y ? x : y);
        case Function::max:
            return TENON_MAP2(x != x || x > y ? x : y);
        case Function::pow:
            return TENON_MAP2(__builtin_pow(x, y));
        case Function::prelu:
            return TENON_MAP2(x < 0 ? y * x : x);
            TENON_COMPARISONS
        default:
            return nullptr;
    }
}

BlockFn boolean_function(Function function) {
    using T = uint8_t;
    switch (function) {
        case Function::logical_not:
            return TENON_MAP1(static_cast<T>(x == 0));
        case Function::logical_and:
            return TENON_MAP2(static_cast<T>((x != 0) & (y != 0)));
        case Function::logical_or:
            return TENON_MAP2(static_cast<T>((x != 0) | (y != 0)));
        case Function::logical_xor:
            return TENON_MAP2(static_cast<T>((x != 0) ^ (y != 0)));
            TENON_COMPARISONS
        default:
            return nullptr;
    }
}
#undef TENON_MAP1
#undef TENON_MAP2
#undef TENON_MAPP
#undef TENON_COMPARISONS

BlockFn copy_function(int64_t bytes) {
    switch (bytes) {
        case 1:
            return copy_bytes<1>;
        case 2:
            return copy_bytes<2>;
        case 4:
            return copy_bytes<4>;
        case 8:
            return copy_bytes<8>;
        default:
            return nullptr;
    }
}

BlockFn where_function(int64_t bytes) {
    switch (bytes) {
        case 1:
            return select_bytes<uint8_t>;
        case 2:
            return select_bytes<uint16_t>;
        case 4:
            return f32_where;
        case 8:
            return select_bytes<uint64_t>;
        default:
            return nullptr;
    }
}

// `type` is that of the operands; source is the second operand's for powers.
BlockFn typed_function(Function function, ElementType type, ElementType source) {
    switch (type) {
        case ElementType::f32:
            return f32_function(function);
        case ElementType::f64:
            return f64_function(function);
        case ElementType::u8:
            return int_function<uint8_t>(function, source);
        case ElementType::i8:
            return int_function<int8_t>(function, source);
        case ElementType::u16:
            return int_function<uint16_t>(function, source);
        case ElementType::i16:
            return int_function<int16_t>(function, source);
        case ElementType::i32:
            return int_function<int32_t>(function, source);
        case ElementType::u32:
            return int_function<uint32_t>(function, source);
        case ElementType::i64:
            return int_function<int64_t>(function, source);
        case ElementType::u64:
            return int_function<uint64_t>(function, source);
        case ElementType::boolean:
            return boolean_function(function);
        case ElementType::f16:
        case ElementType::bf16:
            return nullptr;
    }
    return nullptr;
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
