// Do products with few rows run at the speed at which the weights can be read, in L2 and in memory?
// Compared with a sum of the same weights.
#include "../common/test_support.h"
#include "gemv.h"

namespace tenon::cpu {
namespace {

#if defined(__x86_64__)
__attribute__((target("avx2")))
#endif
void read_all(const std::vector<float>& data) {
    typedef float Lanes __attribute__((vector_size(32), aligned(4), may_alias));
    Lanes sums[8] = {};
    for (size_t i = 0; i + 64 <= data.size(); i += 64) {
        const Lanes* p = reinterpret_cast<const Lanes*>(data.data() + i);
#pragma GCC unroll 8
        for (int k = 0; k < 8; ++k) sums[k] += p[k];
    }
    __asm__ volatile("" : : "m"(sums));
}

// Bytes per second of a plain read.
double read_rate(const std::vector<float>& data) {
    return 4 * static_cast<double>(data.size()) / test::best_seconds([&] { read_all(data); });
}

}  // namespace
}  // namespace tenon::cpu

int main() {
    using namespace tenon::cpu;
    struct Case {
        int64_t m, k, n;
    };
    for (const Case& c : {Case{1, 784, 128}, Case{8, 784, 128}, Case{1, 128, 10}, Case{1, 768, 3072},
                          Case{4, 768, 3072}, Case{8, 768, 3072}, Case{1, 9216, 4096}, Case{4, 9216, 4096}}) {
        const int64_t panels = (c.n + kGemvPanel - 1) / kGemvPanel;
        std::vector<float> x(c.m * c.k, 0.5f), packed(gemv_packed_bytes(c.k, c.n) / 4 + 16, 0.25f), y(c.m * c.n);
        float* aligned = packed.data() + (64 - reinterpret_cast<uintptr_t>(packed.data()) % 64) % 64 / 4;
        const double rate = read_rate(packed);
        GemvParams p{x.data(), aligned, nullptr, nullptr, y.data(), c.m, c.k, c.n, c.k, c.n, c.n, Function::relu, 0, 0};
#define TENON_KERNEL(isa, name)                                                                                      \
    if (Isa::isa <= best_isa()) {                                                                                    \
        const double s = test::best_seconds([&] { isa::name.run(p, 0, panels); });                                   \
        const double bytes = static_cast<double>(gemv_packed_bytes(c.k, c.n));                                       \
        printf("gemv %lld x %lld x %lld %-7s %10.2f us %7.2f GB/s %5.2f of reading %7.2f GFLOP/s\n", (long long)c.m, \
               (long long)c.k, (long long)c.n, #isa, s * 1e6, bytes / s * 1e-9, bytes / s / rate,                    \
               2e-9 * static_cast<double>(c.m * c.k * c.n) / s);                                                     \
    }
#include "gemv.inc"
#undef TENON_KERNEL
    }
    return 0;
}
