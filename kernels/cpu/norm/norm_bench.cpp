// How far is layer normalisation with a residual from the speed of memory, in and out of cache?
#include "../common/test_support.h"
#include "norm.h"

int main() {
    using namespace tenon::cpu;
    const int64_t cols = 768;
    for (int64_t rows : {128, 16384}) {
        const int64_t n = rows * cols;
        std::vector<float> x(n, 1), r(n, 2), y(n), scale(cols, 1), bias(cols, 0);
        for (int64_t i = 0; i < n; ++i) x[i] = static_cast<float>(i % 17);
        const double rate = test::memcpy_rate(n * 4);
        RowNormParams p{x.data(), r.data(), scale.data(), bias.data(), y.data(),
                        nullptr,  nullptr,  nullptr,      cols,        1e-5f};
#define TENON_KERNEL(isa, name)                                                                               \
    if (Isa::isa <= best_isa()) {                                                                             \
        const double s = test::best_seconds([&] { isa::name.layer_norm(p, 0, rows); });                       \
        printf("layer_norm residual %lld x %lld %-7s %8.2f us %7.2f GB/s %5.2f of memcpy\n", (long long)rows, \
               (long long)cols, #isa, s * 1e6, 12e-9 * static_cast<double>(n) / s,                            \
               12 * static_cast<double>(n) / s / rate);                                                       \
    }
#include "norm.inc"
#undef TENON_KERNEL
    }
    return 0;
}
