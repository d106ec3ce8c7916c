// The functions of elementwise chains, named as the constants of dev.tenon.internal.op (UnaryFn, BinaryFn, CompareFn,
// LogicalFn, FloatTestFn, ChainFn), which define them.
//
// A value V is what elements are computed in: float for f32, f16, bf16 and fp8, double for f64, bool for booleans, and
// integers as they are. a and b are a step's parameters (alpha, beta).
// Integers wrap; dividing one by zero gives 0. Floats: NaN in, NaN out; functions are within 4 units in the last place,
// products of x with a function that goes to 0 (silu, gelu, mish, hard_swish) within 4 units of x. T is the element
// type that a step's result is rounded to: where an accurate function costs more than memory gives time for, narrow
// types get a cheaper one that is off by less than a tenth of their unit.
#pragma once
#include "common/math.cuh"
#include "common/types.cuh"
#if !defined(TENON_ON_GPU)
#include <math.h>
#endif

namespace tenon::cuda {

// An element of a boolean tensor: one byte, 0 or 1.
struct boolean {
    uint8_t byte;
};

namespace fn {

template <class V>
constexpr bool kFloating = kSame<V, float> || kSame<V, double>;
template <class T>
constexpr bool kNarrowFloat = kSame<T, f16> || kSame<T, bf16> || kSame<T, f8e4m3> || kSame<T, f8e5m2>;
template <class V>
constexpr bool kSigned = static_cast<V>(-1) < static_cast<V>(0);

// Integers are added and multiplied as unsigned ones, which wrap; the result is cut to V.
template <int bytes>
struct UnsignedOf {
    using type = uint32_t;
};
template <>
struct UnsignedOf<8> {
    using type = uint64_t;
};
template <class V>
using Unsigned = typename UnsignedOf<sizeof(V)>::type;

// ---- elements and values

template <class T>
TENON_DEVICE auto to_value(T x) {
    if constexpr (kSame<T, boolean>) {
        return x.byte != 0;
    } else if constexpr (kNarrowFloat<T>) {
        return to_float(x);
    } else {
        return x;
    }
}

template <class T, class V>
TENON_DEVICE T from_value(V x) {
    if constexpr (kSame<T, boolean>) {
        return boolean{static_cast<uint8_t>(x ? 1 : 0)};
    } else if constexpr (kNarrowFloat<T>) {
        return from_float<T>(x);
    } else {
        return x;
    }
}

// The value of the element whose bits are the lowest of `bits`.
template <class T, class B>
TENON_DEVICE auto value_of_bits(B bits) {
    if constexpr (kSame<T, float>) {
        return float_of(bits);
    } else if constexpr (kSame<T, double>) {
#if defined(TENON_ON_GPU)
        return __longlong_as_double(static_cast<long long>(bits));
#else
        return __builtin_bit_cast(double, bits);
#endif
    } else if constexpr (kNarrowFloat<T>) {
        return to_float(T{static_cast<decltype(T::bits)>(bits)});
    } else if constexpr (kSame<T, boolean>) {
        return (bits & 0xff) != 0;
    } else {
        return static_cast<T>(bits);
    }
}

// x as an element of type T holds it.
template <class T, class V>
TENON_DEVICE auto rounded(V x) {
    return to_value(from_value<T>(x));
}

// x to fp32 with the last bit set when inexact, so that a second rounding to fewer bits is right.
TENON_DEVICE float round_to_odd(double x) {
    const float f = static_cast<float>(x);
    const double back = f;
    const uint32_t bits = bits_of(f), magnitude = bits & 0x7fffffffu;
    if (back == x || magnitude >= 0x7f800000u || (bits & 1)) return f;
    return float_of((back < 0 ? -back : back) > (x < 0 ? -x : x) ? bits - 1 : bits + 1);
}

// Toward zero; out of range gives the nearest end, NaN gives 0.
template <class V>
TENON_DEVICE int32_t to_int32(V x) {
#if defined(TENON_ON_GPU)
    if constexpr (kSame<V, float>) return __float2int_rz(x);
    if constexpr (kSame<V, double>) return x != x ? 0 : __double2int_rz(x);
#else
    if (x != x) return 0;
    return x >= V(0x1p31) ? INT32_MAX : x < V(-0x1p31) ? INT32_MIN : static_cast<int32_t>(x);
#endif
}
template <class V>
TENON_DEVICE int64_t to_int64(V x) {
    if (x != x) return 0;
#if defined(TENON_ON_GPU)
    if constexpr (kSame<V, float>) return __float2ll_rz(x);
    if constexpr (kSame<V, double>) return __double2ll_rz(x);
#else
    return x >= V(0x1p63) ? INT64_MAX : x < V(-0x1p63) ? INT64_MIN : static_cast<int64_t>(x);
#endif
}
// The same for uint64: negative numbers give 0.
template <class V>
TENON_DEVICE uint64_t to_uint64(V x) {
    if (!(x >= V(0x1p63))) return x > V(0) ? static_cast<uint64_t>(to_int64(x)) : 0;
    return x >= V(0x1p64) ? ~uint64_t{0} : static_cast<uint64_t>(to_int64(x - V(0x1p63))) + (uint64_t{1} << 63);
}

// x converted to elements of type T. Integers keep their low bits, also those that floats become on the way to fewer
// than 32 bits; to booleans: x != 0; to fp8: saturates.
template <class T, class V>
TENON_DEVICE auto cast(V x) {
    if constexpr (kSame<T, boolean>) {
        return x != V(0);
    } else if constexpr (kNarrowFloat<T>) {
        // These values are exact in fp32; others would be rounded twice.
        if constexpr (kSame<V, float> || sizeof(V) < 4)
            return rounded<T>(static_cast<float>(x));
        else
            return rounded<T>(round_to_odd(static_cast<double>(x)));
    } else if constexpr (kFloating<T> || !kFloating<V>) {
        return static_cast<T>(x);
    } else if constexpr (kSame<T, uint64_t>) {
        return to_uint64(x);
    } else if constexpr (kSame<T, int64_t> || kSame<T, uint32_t>) {
        return static_cast<T>(to_int64(x));
    } else {
        return static_cast<T>(to_int32(x));
    }
}

template <class V>
TENON_DEVICE V where(bool condition, V x, V y) {
    return condition ? x : y;
}

// ---- arithmetic

template <class V>
TENON_DEVICE V add(V x, V y) {
    if constexpr (kFloating<V>)
        return x + y;
    else
        return static_cast<V>(static_cast<Unsigned<V>>(x) + static_cast<Unsigned<V>>(y));
}
template <class V>
TENON_DEVICE V sub(V x, V y) {
    if constexpr (kFloating<V>)
        return x - y;
    else
        return static_cast<V>(static_cast<Unsigned<V>>(x) - static_cast<Unsigned<V>>(y));
}
// Also every product that a function below returns: on the GPU the compiler must not contract it with the sum of a
// later step, as the step's result is rounded.
template <class V>
TENON_DEVICE V mul(V x, V y) {
#if defined(TENON_ON_GPU)
    if constexpr (kSame<V, float>)
        return __fmul_rn(x, y);
    else if constexpr (kSame<V, double>)
        return __dmul_rn(x, y);
#else
    if constexpr (kFloating<V>) return x * y;
#endif
    else
        return static_cast<V>(static_cast<Unsigned<V>>(x) * static_cast<Unsigned<V>>(y));
}
template <class V>
TENON_DEVICE V neg(V x) {
    if constexpr (kFloating<V>)
        return -x;
    else
        return sub(V(0), x);
}
template <class V>
TENON_DEVICE V div(V x, V y) {
    if constexpr (kFloating<V>) {
        return x / y;
    } else {
        if (y == 0) return 0;
        if constexpr (kSigned<V>) {
            if (y == -1) return neg(x);  // the smallest number has no negative: it wraps
        }
        return static_cast<V>(x / y);
    }
}
// The remainder with the sign of x.
template <class V>
TENON_DEVICE V fmod(V x, V y) {
    if constexpr (kFloating<V>) {
        return ::fmod(x, y);
    } else {
        if (y == 0) return 0;
        if constexpr (kSigned<V>) {
            if (y == -1) return 0;
        }
        return static_cast<V>(x % y);
    }
}
// The remainder with the sign of y.
template <class V>
TENON_DEVICE V mod(V x, V y) {
    const V r = fmod(x, y);
    return r != 0 && (r < 0) != (y < 0) ? add(r, y) : r;
}
template <class V>
TENON_DEVICE V min(V x, V y) {
    return x != x || x < y ? x : y;
}
template <class V>
TENON_DEVICE V max(V x, V y) {
    return x != x || x > y ? x : y;
}
template <class V, class E>
TENON_DEVICE V pow(V x, E y) {
    if constexpr (kFloating<V> && kFloating<E>) {
        if constexpr (kSame<V, E>)
            return ::pow(x, y);
        else
            return static_cast<V>(::pow(static_cast<double>(x), static_cast<double>(y)));
    } else if constexpr (kFloating<V>) {
        // The parity of an exponent that V cannot hold would get lost.
        const V r = ::pow(::fabs(x), static_cast<V>(y));
        return (y & 1) != 0 ? ::copysign(r, x) : r;
    } else if constexpr (kFloating<E>) {
        return cast<V>(::pow(static_cast<double>(x), static_cast<double>(y)));
    } else {
        if constexpr (kSigned<E>) {
            if (y < 0)
                return x == 1 || (x == V(-1) && kSigned<V> && (y & 1) == 0) ? 1 : kSigned<V> && x == V(-1) ? x : 0;
        }
        V result = 1, square = x;
        for (; y > 0; y >>= 1) {
            if (y & 1) result = mul(result, square);
            square = mul(square, square);
        }
        return result;
    }
}
template <class V>
TENON_DEVICE V prelu(V x, V slope) {
    return x < 0 ? mul(slope, x) : x;
}

template <class V>
TENON_DEVICE V bit_and(V x, V y) {
    return static_cast<V>(x & y);
}
template <class V>
TENON_DEVICE V bit_or(V x, V y) {
    return static_cast<V>(x | y);
}
template <class V>
TENON_DEVICE V bit_xor(V x, V y) {
    return static_cast<V>(x ^ y);
}
template <class V>
TENON_DEVICE V bit_not(V x) {
    return static_cast<V>(~x);
}
// By the width or more, or by a negative number: 0.
template <class V>
TENON_DEVICE V shift_left(V x, V y) {
    constexpr V bits = 8 * sizeof(V);
    return y < 0 || y >= bits ? V(0) : static_cast<V>(static_cast<Unsigned<V>>(x) << y);
}
// Fills with zeros (unsigned) or the sign.
template <class V>
TENON_DEVICE V shift_right(V x, V y) {
    constexpr V bits = 8 * sizeof(V);
    if (y < 0 || y >= bits) return kSigned<V> && x < 0 ? static_cast<V>(-1) : V(0);
    return static_cast<V>(x >> y);
}

// ---- comparisons and logic

template <class V>
TENON_DEVICE bool equal(V x, V y) {
    return x == y;
}
template <class V>
TENON_DEVICE bool less(V x, V y) {
    return x < y;
}
template <class V>
TENON_DEVICE bool less_equal(V x, V y) {
    return x <= y;
}
template <class V>
TENON_DEVICE bool greater(V x, V y) {
    return x > y;
}
template <class V>
TENON_DEVICE bool greater_equal(V x, V y) {
    return x >= y;
}
TENON_DEVICE bool logical_and(bool x, bool y) {
    return x && y;
}
TENON_DEVICE bool logical_or(bool x, bool y) {
    return x || y;
}
TENON_DEVICE bool logical_xor(bool x, bool y) {
    return x != y;
}
TENON_DEVICE bool logical_not(bool x) {
    return !x;
}
template <class V>
TENON_DEVICE bool is_nan(V x) {
    return x != x;
}
// A positive infinity counts if a is not 0, a negative one if b is not 0.
template <class V>
TENON_DEVICE bool is_inf(V x, float a, float b) {
    const V infinity = static_cast<V>(float_of(0x7f800000u));
    return (x == infinity && a != 0) || (x == -infinity && b != 0);
}

// ---- functions of one number

template <class V>
TENON_DEVICE V abs(V x) {
    if constexpr (kFloating<V>)
        return ::fabs(x);
    else
        return x < 0 ? neg(x) : x;
}
template <class V>
TENON_DEVICE V sign(V x) {
    return x > 0 ? V(1) : x < 0 ? static_cast<V>(-1) : x;
}
template <class V>
TENON_DEVICE V sqrt(V x) {
    return ::sqrt(x);
}
template <class V>
TENON_DEVICE V rsqrt(V x) {
#if defined(TENON_ON_GPU)
    return ::rsqrt(x);
#else
    return 1 / ::sqrt(x);
#endif
}
template <class V>
TENON_DEVICE V reciprocal(V x) {
    return 1 / x;
}
template <class T, class V>
TENON_DEVICE V exp(V x) {
    if constexpr (kNarrowFloat<T>)
        return exp2_fast(x * kLog2E);
    else
        return ::exp(x);
}
template <class V>
TENON_DEVICE V log(V x) {
    return ::log(x);
}
template <class V>
TENON_DEVICE V sin(V x) {
    return ::sin(x);
}
template <class V>
TENON_DEVICE V cos(V x) {
    return ::cos(x);
}
template <class V>
TENON_DEVICE V tan(V x) {
    return ::tan(x);
}
template <class V>
TENON_DEVICE V asin(V x) {
    return ::asin(x);
}
template <class V>
TENON_DEVICE V acos(V x) {
    return ::acos(x);
}
template <class V>
TENON_DEVICE V atan(V x) {
    return ::atan(x);
}
template <class V>
TENON_DEVICE V sinh(V x) {
    return ::sinh(x);
}
template <class V>
TENON_DEVICE V cosh(V x) {
    return ::cosh(x);
}
template <class V>
TENON_DEVICE V tanh(V x) {
    return ::tanh(x);
}
template <class V>
TENON_DEVICE V asinh(V x) {
    return ::asinh(x);
}
template <class V>
TENON_DEVICE V acosh(V x) {
    return ::acosh(x);
}
template <class V>
TENON_DEVICE V atanh(V x) {
    return ::atanh(x);
}
// Of an integer, cut to one: 1 where the error function is 1 in double.
template <class V>
TENON_DEVICE V erf(V x) {
    if constexpr (kFloating<V>)
        return ::erf(x);
    else
        return x >= 6 ? V(1) : kSigned<V> && x <= V(-6) ? static_cast<V>(-1) : V(0);
}
template <class V>
TENON_DEVICE V floor(V x) {
    return ::floor(x);
}
template <class V>
TENON_DEVICE V ceil(V x) {
    return ::ceil(x);
}
// To the nearest integer, halves to the even one.
template <class V>
TENON_DEVICE V round(V x) {
    return ::rint(x);
}

// ---- activations

// A quotient that may be off by two units in the last place, and is 0 where the divisor is beyond 2^126.
template <class V>
TENON_DEVICE V quick_div(V x, V y) {
    if constexpr (kSame<V, float>)
        return mul(x, reciprocal_fast(y));
    else
        return x / y;
}

// exp(x) - 1 for x <= 0.
template <class T, class V>
TENON_DEVICE V expm1(V x) {
    if constexpr (kNarrowFloat<T>)
        return x > -0.03125f ? x * (1 + x * (0.5f + x * (1 / 6.0f))) : exp2_fast(x * kLog2E) - 1;
    else
        return ::expm1(x);
}
// log(1 + x) for 0 <= x <= 1.
template <class T, class V>
TENON_DEVICE V log1p(V x) {
    if constexpr (kNarrowFloat<T>)
        return x < 0.0078125f ? x * (1 + x * (x * (1 / 3.0f) - 0.5f)) : log2_fast(1 + x) * kLn2;
    else
        return ::log1p(x);
}

template <class V>
TENON_DEVICE V relu(V x) {
    return x <= 0 ? V(0) : x;
}
// x for x >= 0, a x below.
template <class V>
TENON_DEVICE V leaky_relu(V x, float a) {
    return x < 0 ? mul(static_cast<V>(a), x) : x;
}
// x for x >= 0, a (exp(x) - 1) below.
template <class T, class V>
TENON_DEVICE V elu(V x, float a) {
    return x < 0 ? mul(static_cast<V>(a), expm1<T>(x)) : x;
}
template <class T, class V>
TENON_DEVICE V selu(V x, float a, float b) {
    return mul(static_cast<V>(b), elu<T>(x, a));
}
// max(0, x) + min(0, a (exp(x / a) - 1)).
template <class V>
TENON_DEVICE V celu(V x, float a) {
    return max(V(0), x) + min(V(0), mul(static_cast<V>(a), ::expm1(x / static_cast<V>(a))));
}
template <class T, class V>
TENON_DEVICE V sigmoid(V x) {
    return quick_div(V(1), 1 + exp<T>(-x));
}
// max(0, min(1, a x + b)).
template <class V>
TENON_DEVICE V hard_sigmoid(V x, float a, float b) {
    const V y = ::fma(static_cast<V>(a), x, static_cast<V>(b));
    return y < 0 ? V(0) : y > 1 ? V(1) : y;
}
template <class V>
TENON_DEVICE V hard_swish(V x, float a, float b) {
    return mul(x, hard_sigmoid(x, a, b));
}
// x sigmoid(a x).
template <class T, class V>
TENON_DEVICE V silu(V x, float a) {
    return quick_div(x, 1 + exp<T>(-static_cast<V>(a) * x));
}
// log(1 + exp(x)).
template <class T, class V>
TENON_DEVICE V softplus(V x) {
    return relu(x) + log1p<T>(exp<T>(-::fabs(x)));
}
template <class V>
TENON_DEVICE V softsign(V x) {
    return x / (1 + ::fabs(x));
}
// x tanh(log(1 + exp(x))): with n = exp(x) (exp(x) + 2) the hyperbolic tangent is n / (n + 2).
template <class T, class V>
TENON_DEVICE V mish(V x) {
    const V e = exp<T>(x > 20 ? V(20) : x), n = e * (e + 2);
    return mul(x, quick_div(n, n + 2));
}
// x / 2 (1 + erf(x / sqrt(2))) = max(x, 0) - |x| Phi(-|x|).
template <class T, class V>
TENON_DEVICE V gelu_erf(V x) {
    if constexpr (kSame<V, float>) {
        const float a = ::fabs(x), limited = ::fmin(a, 13.0f);
        return ::fma(-limited, normal_tail<T>(limited), ::fma(0.5f, a, 0.5f * x));
    } else {
        return mul(V(0.5) * x, 1 + ::erf(x * V(0.70710678118654752440)));
    }
}
// x / 2 (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3): x / (1 + exp(-2 u)), which does not cancel.
template <class T, class V>
TENON_DEVICE V gelu_tanh(V x) {
    constexpr V scale = V(-1.59576912160573071176);  // -2 sqrt(2 / pi)
    const V u = x * ::fma(V(0.044715) * scale * x, x, scale);
    return quick_div(x, 1 + exp<T>(u));
}
// x above a, else 0.
template <class V>
TENON_DEVICE V thresholded_relu(V x, float a) {
    return x <= static_cast<V>(a) ? V(0) : x;
}
// x + a below -b, x - a above b, else 0.
template <class V>
TENON_DEVICE V shrink(V x, float a, float b) {
    const V bias = a, limit = b;
    return x < -limit ? x + bias : x > limit ? x - bias : x != x ? x : V(0);
}
// min(max(x, a), b).
template <class V>
TENON_DEVICE V clip(V x, float a, float b) {
    if constexpr (kFloating<V>) {
        const V raised = x < V(a) ? V(a) : x;
        return raised > V(b) ? V(b) : raised;
    } else if constexpr (kSigned<V>) {
        return static_cast<V>(min(max<int64_t>(x, to_int64(a)), to_int64(b)));
    } else {
        const uint64_t low = to_uint64(a), high = to_uint64(b);
        return static_cast<V>(min(max<uint64_t>(x, low), high));
    }
}
// a x + b.
template <class V>
TENON_DEVICE V linear(V x, float a, float b) {
    return ::fma(static_cast<V>(a), x, static_cast<V>(b));
}

}  // namespace fn
}  // namespace tenon::cuda
