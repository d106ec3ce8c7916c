// Plain loops over stretches with one scale, or over the axis itself when it is the last one.

namespace tenon::cpu::TENON_ISA {
namespace {

template <class T>
T quantized(float x, float scale, int32_t zero_point) {
    constexpr float low = static_cast<T>(-1) < static_cast<T>(0) ? -128.0f : 0.0f, high = low + 255.0f;
    const float v = __builtin_rintf(x / scale) + static_cast<float>(zero_point);
    const float known = v != v ? static_cast<float>(zero_point) : v;
    const float above = known < low ? low : known;
    return static_cast<T>(static_cast<int32_t>(high < above ? high : above));
}

template <class T>
float dequantized(T x, float scale, int32_t zero_point) {
    return static_cast<float>(static_cast<int64_t>(x) - zero_point) * scale;
}

// fn(x, scale, zero_point) for elements begin .. end-1.
template <class From, class To, class Zero, auto fn>
void map(const QuantizeParams& p, int64_t begin, int64_t end) {
    const From* x = static_cast<const From*>(p.x);
    To* y = static_cast<To*>(p.y);
    const Zero* zero_points = static_cast<const Zero*>(p.zero_point);
    for (int64_t i = begin; i < end;) {
        const int64_t channel = i / p.inner % p.axis;
        if (p.inner == 1) {
            const int64_t count = p.axis - channel < end - i ? p.axis - channel : end - i;
            for (int64_t k = 0; k < count; ++k) {
                y[i + k] = fn(x[i + k], p.scale[channel + k],
                              zero_points != nullptr ? static_cast<int32_t>(zero_points[channel + k]) : 0);
            }
            i += count;
            continue;
        }
        const int64_t left = p.inner - i % p.inner, stop = left < end - i ? i + left : end;
        const float scale = p.scale[channel];
        const int32_t zero_point = zero_points != nullptr ? static_cast<int32_t>(zero_points[channel]) : 0;
        for (; i < stop; ++i) y[i] = fn(x[i], scale, zero_point);
    }
}

void quantize_all(const QuantizeParams& p, int64_t begin, int64_t end) {
    if (p.type == ElementType::u8) {
        map<float, uint8_t, uint8_t, quantized<uint8_t>>(p, begin, end);
    } else {
        map<float, int8_t, int8_t, quantized<int8_t>>(p, begin, end);
    }
}

void dequantize_all(const QuantizeParams& p, int64_t begin, int64_t end) {
    switch (p.type) {
        case ElementType::u8:
            return map<uint8_t, float, uint8_t, dequantized<uint8_t>>(p, begin, end);
        case ElementType::i8:
            return map<int8_t, float, int8_t, dequantized<int8_t>>(p, begin, end);
        default:
            return map<int32_t, float, int32_t, dequantized<int32_t>>(p, begin, end);
    }
}

}  // namespace

const QuantizeKernels quantize = {Isa::TENON_ISA, quantize_all, dequantize_all};

}  // namespace tenon::cpu::TENON_ISA
