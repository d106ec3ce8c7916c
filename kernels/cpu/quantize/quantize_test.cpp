#include "quantize.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("quantize");

template <class T>
void test_one(const QuantizeKernels& kernels, ElementType type, int64_t outer, int64_t axis, int64_t inner, bool zero) {
    const int64_t n = outer * axis * inner, low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
    Random random(n + zero);
    Guarded<float> x(n), back(n), scale(axis);
    Guarded<T> y(n), zero_points(axis);
    random.fill(scale.get(), axis, 0.01f, 0.1f);
    for (int64_t i = 0; i < axis; ++i) zero_points[i] = static_cast<T>(low + random.below(256));
    random.fill(x.get(), n, -15, 15);
    const float specials[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e30f, -1e30f, 1e-40f};
    for (int64_t i = 0; i < n; ++i) {
        if (i % 5 == 0) x[i] = specials[i / 5 % 8];
        if (i % 7 == 0) x[i] = scale[i / inner % axis] * (static_cast<float>(random.below(20)) + 0.5f);  // near ties
    }
    QuantizeParams p{x.get(), y.get(), scale.get(), zero ? zero_points.get() : nullptr, type, axis, inner};
    kernels.quantize(p, 0, n / 3);
    kernels.quantize(p, n / 3, n);
    for (int64_t i = 0; i < n; ++i) {
        const int64_t c = i / inner % axis;
        const int64_t z = zero ? zero_points[c] : 0;
        const float ratio = x[i] / scale[c];
        const double v =
            ratio != ratio ? static_cast<double>(z) : nearbyint(static_cast<double>(ratio)) + static_cast<double>(z);
        const double expected = v < static_cast<double>(low)    ? static_cast<double>(low)
                                : v > static_cast<double>(high) ? static_cast<double>(high)
                                                                : v;
        checker.expect(static_cast<double>(y[i]) == expected, "%a / %a + %lld = %d, expected %g (%s)", x[i], scale[c],
                       (long long)z, y[i], expected, isa_name(kernels.isa));
    }
    p.x = y.get();
    p.y = back.get();
    kernels.dequantize(p, 0, n / 3);
    kernels.dequantize(p, n / 3, n);
    for (int64_t i = 0; i < n; ++i) {
        const int64_t c = i / inner % axis;
        const double expected = static_cast<double>(y[i] - (zero ? zero_points[c] : 0)) * static_cast<double>(scale[c]);
        checker.expect(close(back[i], expected, kRounded), "dequantize %d: %.9g, expected %.9g", y[i], back[i],
                       expected);
    }
}

void test_i32(const QuantizeKernels& kernels) {
    const int32_t values[] = {0, 1, -1, 1000000, INT32_MIN, INT32_MAX};
    Guarded<int32_t> x(6);
    Guarded<float> y(6), scale(1);
    for (int i = 0; i < 6; ++i) x[i] = values[i];
    scale[0] = 0.5f;
    kernels.dequantize({x.get(), y.get(), scale.get(), nullptr, ElementType::i32, 1, 6}, 0, 6);
    for (int i = 0; i < 6; ++i)
        checker.expect(y[i] == static_cast<float>(values[i]) * 0.5f, "i32 %d: %g", values[i], y[i]);
}

void test_all(const QuantizeKernels& kernels) {
    for (int64_t length : test::lengths()) {
        for (bool zero : {false, true}) {
            test_one<uint8_t>(kernels, ElementType::u8, 1, 1, length, zero);
            test_one<int8_t>(kernels, ElementType::i8, 1, 1, length, zero);
            test_one<uint8_t>(kernels, ElementType::u8, 2, 3, length, zero);
            test_one<int8_t>(kernels, ElementType::i8, 3, length, 1, zero);
        }
    }
    test_i32(kernels);
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "quantize.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
