// Output speed of doubling planes, nearest and linear.
#include "../common/test_support.h"
#include "resize.h"

int main() {
    using namespace tenon::cpu;
    const int64_t planes = 64, side = 56, twice = 2 * side;
    std::vector<float> x(planes * side * side, 1), y(planes * twice * twice), scratch(side), weights(2 * twice, 0.5f);
    std::vector<int32_t> nearest(twice), linear(2 * twice);
    for (int64_t i = 0; i < twice; ++i) {
        nearest[i] = static_cast<int32_t>(i / 2);
        linear[2 * i] = nearest[i];
        linear[2 * i + 1] = nearest[i] + 1 < side ? nearest[i] + 1 : nearest[i];
    }
    const double rate = test::memcpy_rate(planes * twice * twice * 4);
    const ResizeParams a{x.data(), y.data(), side,           side,           twice,   twice,
                         1,        1,        nearest.data(), nearest.data(), nullptr, nullptr};
    const ResizeParams b{x.data(), y.data(), side,          side,          twice,          twice,
                         2,        2,        linear.data(), linear.data(), weights.data(), weights.data()};
    const double bytes = 8 * static_cast<double>(y.size());
#define TENON_KERNEL(isa, name)                                                                                      \
    if (Isa::isa <= best_isa()) {                                                                                    \
        const double n = test::best_seconds([&] { isa::name.run(a, scratch.data(), 0, planes* twice); });            \
        const double l = test::best_seconds([&] { isa::name.run(b, scratch.data(), 0, planes* twice); });            \
        printf("64 x 56x56 to 112x112 %-7s nearest %8.2f us (%4.2f of memcpy)  linear %8.2f us (%4.2f of memcpy)\n", \
               #isa, n * 1e6, bytes / n / rate, l * 1e6, bytes / l / rate);                                          \
    }
#include "resize.inc"
#undef TENON_KERNEL
    return 0;
}
