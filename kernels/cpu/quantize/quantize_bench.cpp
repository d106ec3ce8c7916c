// Do quantisation and its inverse run at the speed of memory?
#include "../common/test_support.h"
#include "quantize.h"

int main() {
    using namespace tenon::cpu;
    for (int64_t n : {int64_t{50176}, int64_t{16} << 20}) {
        std::vector<float> x(n, 0.7f);
        std::vector<uint8_t> y(n);
        const float scale = 0.01f;
        const uint8_t zero_point = 128;
        const double rate = test::memcpy_rate(n * 4);
        const QuantizeParams to{x.data(), y.data(), &scale, &zero_point, ElementType::u8, 1, n};
        const QuantizeParams from{y.data(), x.data(), &scale, &zero_point, ElementType::u8, 1, n};
#define TENON_KERNEL(isa, name)                                                                                        \
    if (Isa::isa <= best_isa()) {                                                                                      \
        const double q = test::best_seconds([&] { isa::name.quantize(to, 0, n); });                                    \
        const double d = test::best_seconds([&] { isa::name.dequantize(from, 0, n); });                                \
        const double bytes = 5 * static_cast<double>(n);                                                               \
        printf("%9lld elements %-7s quantize %7.2f GB/s (%4.2f of memcpy)  dequantize %7.2f GB/s (%4.2f of memcpy)\n", \
               (long long)n, #isa, bytes / q * 1e-9, bytes / q / rate, bytes / d * 1e-9, bytes / d / rate);            \
    }
#include "quantize.inc"
#undef TENON_KERNEL
    }
    return 0;
}
