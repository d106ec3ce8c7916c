// Conversions between all element types, as the cast rule of elementwise.h says.

namespace tenon::cpu::TENON_ISA {
namespace {

// f16 and bf16 are converted by way of f32; these tags name them.
struct Half {
    uint16_t bits;
};
struct Brain {
    uint16_t bits;
};
struct Boolean {
    uint8_t value;
};

float half_to_float(uint16_t bits) {
    const uint32_t sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    uint32_t f;
    if (exponent == 31) {
        f = 0x7f800000u | fraction << 13 | (fraction != 0 ? 0x400000u : 0);
    } else if (exponent != 0) {
        f = (exponent + 112) << 23 | fraction << 13;
    } else {
        f = __builtin_bit_cast(uint32_t, static_cast<float>(fraction) * 0x1p-24f);
    }
    return __builtin_bit_cast(float, sign | f);
}
// To nearest even; below the normal range the addition of 0.5 rounds at the right bit.
uint16_t float_to_half(float v) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, v), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) {
        half = 0x7e00u | (magnitude >> 13 & 0x1ffu);
    } else if (magnitude >= 0x477ff000u) {
        half = 0x7c00u;
    } else if (magnitude < 0x38800000u) {
        half = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, magnitude) + 0.5f) - 0x3f000000u;
    } else {
        half = (magnitude + 0xfffu + (magnitude >> 13 & 1) - 0x38000000u) >> 13;
    }
    return static_cast<uint16_t>(sign | half);
}
float brain_to_float(uint16_t bits) {
    return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16);
}
uint16_t float_to_brain(float v) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, v);
    if (v != v) return static_cast<uint16_t>(bits >> 16 | 0x40u);
    return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

// The largest float that is not above the type's highest value.
template <class To, class From>
constexpr From kHighestBelow = static_cast<From>(kHighest<To> - (sizeof(From) == 4 && sizeof(To) == 4   ? 127
                                                                 : sizeof(From) == 4 && sizeof(To) == 8 ? 0x7fffffffffLL
                                                                 : sizeof(To) == 8                      ? 1023
                                                                                                        : 0));
template <class To, class From>
To saturate(From v) {
    constexpr From low = static_cast<From>(kLowest<To>), high = kHighestBelow<To, From>;
    const From at_least = v > low ? v : low;
    const To inside = static_cast<To>(at_least < high ? at_least : high);
    const To not_above = v > high ? kHighest<To> : inside;
    return v != v ? static_cast<To>(0) : not_above;
}

template <class To>
struct Convert {  // to an integer type of at least 32 bits, signed
    static To from(float v) { return saturate<To>(v); }
    static To from(double v) { return saturate<To>(v); }
    template <class From>
    static To from(From v) {
        return static_cast<To>(v);
    }
};
template <class To, class Between>
struct ConvertNarrow {
    static To from(float v) { return static_cast<To>(saturate<Between>(v)); }
    static To from(double v) { return static_cast<To>(saturate<Between>(v)); }
    template <class From>
    static To from(From v) {
        return static_cast<To>(v);
    }
};
template <>
struct Convert<uint8_t> : ConvertNarrow<uint8_t, int32_t> {};
template <>
struct Convert<int8_t> : ConvertNarrow<int8_t, int32_t> {};
template <>
struct Convert<uint16_t> : ConvertNarrow<uint16_t, int32_t> {};
template <>
struct Convert<int16_t> : ConvertNarrow<int16_t, int32_t> {};
template <>
struct Convert<uint32_t> : ConvertNarrow<uint32_t, int64_t> {};
template <>
struct Convert<float> {
    template <class From>
    static float from(From v) {
        return static_cast<float>(v);
    }
};
template <>
struct Convert<double> {
    template <class From>
    static double from(From v) {
        return static_cast<double>(v);
    }
};
template <>
struct Convert<Half> {
    template <class From>
    static Half from(From v) {
        return {float_to_half(static_cast<float>(v))};
    }
};
template <>
struct Convert<Brain> {
    template <class From>
    static Brain from(From v) {
        return {float_to_brain(static_cast<float>(v))};
    }
};
template <>
struct Convert<Boolean> {
    template <class From>
    static Boolean from(From v) {
        return {static_cast<uint8_t>(v != 0)};
    }
};

template <class T>
T plain(T v) {
    return v;
}
inline float plain(Half v) {
    return half_to_float(v.bits);
}
inline float plain(Brain v) {
    return brain_to_float(v.bits);
}
inline uint8_t plain(Boolean v) {
    return v.value != 0;
}

template <class From, class To>
uint32_t cast_block(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const From* x = static_cast<const From*>(a);
    To* y = static_cast<To*>(out);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = Convert<To>::from(plain(x[i]));
    return 0;
}

uint32_t cast_half_to_f32(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const uint16_t* x = static_cast<const uint16_t*>(a);
    float* y = static_cast<float*>(out);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(y + i, load_half(x + i));
    for (; i < n; ++i) y[i] = half_to_float(x[i]);
    return 0;
}
uint32_t cast_f32_to_half(const void* a, const void*, const void*, void* out, int64_t n, const double*) {
    const float* x = static_cast<const float*>(a);
    uint16_t* y = static_cast<uint16_t*>(out);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store_half(y + i, load(x + i));
    for (; i < n; ++i) y[i] = float_to_half(x[i]);
    return 0;
}

template <class From>
BlockFn cast_from(ElementType to) {
    switch (to) {
        case ElementType::f32:
            return cast_block<From, float>;
        case ElementType::u8:
            return cast_block<From, uint8_t>;
        case ElementType::i8:
            return cast_block<From, int8_t>;
        case ElementType::u16:
            return cast_block<From, uint16_t>;
        case ElementType::i16:
            return cast_block<From, int16_t>;
        case ElementType::i32:
            return cast_block<From, int32_t>;
        case ElementType::i64:
            return cast_block<From, int64_t>;
        case ElementType::boolean:
            return cast_block<From, Boolean>;
        case ElementType::f16:
            return cast_block<From, Half>;
        case ElementType::f64:
            return cast_block<From, double>;
        case ElementType::u32:
            return cast_block<From, uint32_t>;
        case ElementType::u64:
            return cast_block<From, uint64_t>;
        case ElementType::bf16:
            return cast_block<From, Brain>;
    }
    return nullptr;
}

BlockFn cast_function(ElementType from, ElementType to) {
    if (from == to && from != ElementType::boolean) return copy_function(element_bytes(from));
    if (from == ElementType::f16 && to == ElementType::f32) return cast_half_to_f32;
    if (from == ElementType::f32 && to == ElementType::f16) return cast_f32_to_half;
    switch (from) {
        case ElementType::f32:
            return cast_from<float>(to);
        case ElementType::u8:
            return cast_from<uint8_t>(to);
        case ElementType::i8:
            return cast_from<int8_t>(to);
        case ElementType::u16:
            return cast_from<uint16_t>(to);
        case ElementType::i16:
            return cast_from<int16_t>(to);
        case ElementType::i32:
            return cast_from<int32_t>(to);
        case ElementType::i64:
            return cast_from<int64_t>(to);
        case ElementType::boolean:
            return cast_from<Boolean>(to);
        case ElementType::f16:
            return cast_from<Half>(to);
        case ElementType::f64:
            return cast_from<double>(to);
        case ElementType::u32:
            return cast_from<uint32_t>(to);
        case ElementType::u64:
            return cast_from<uint64_t>(to);
        case ElementType::bf16:
            return cast_from<Brain>(to);
    }
    return nullptr;
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
