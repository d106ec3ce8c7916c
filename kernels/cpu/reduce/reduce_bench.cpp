// Do reductions over the last and over a middle axis run at the speed of memory?
#include "../common/test_support.h"
#include "reduce.h"

int main() {
    using namespace tenon::cpu;
    struct Case {
        const char* name;
        Reduction reduction;
        int64_t outer, axis, inner;
    };
    for (const Case& c :
         {Case{"mean 2048 x 49", Reduction::mean, 2048, 49, 1}, Case{"sum 64 x 65536", Reduction::sum, 64, 65536, 1},
          Case{"sum 128 x (256) x 64", Reduction::sum, 128, 256, 64},
          Case{"argmax 1000", Reduction::arg_max, 1, 1000, 1},
          Case{"argmax (21) x 65536", Reduction::arg_max, 1, 21, 65536},
          Case{"max 64 x 65536", Reduction::max, 64, 65536, 1}}) {
        const int64_t n = c.outer * c.axis * c.inner;
        std::vector<float> x(n), y(c.outer * c.inner * 2);
        test::Random(1).fill(x.data(), n);
        const double rate = test::memcpy_rate(n * 4);
        const ReduceParams p{x.data(), y.data(), c.reduction, ElementType::f32, c.axis, c.inner, false};
#define TENON_KERNEL(isa, name_)                                                              \
    if (Isa::isa <= best_isa()) {                                                             \
        const double s = test::best_seconds([&] { isa::name_.run(p, 0, c.outer* c.inner); }); \
        printf("%-22s %-7s %9.2f us %7.2f GB/s %5.2f of memcpy\n", c.name, #isa, s * 1e6,     \
               4e-9 * static_cast<double>(n) / s, 4 * static_cast<double>(n) / s / rate);     \
    }
#include "reduce.inc"
#undef TENON_KERNEL
    }
    return 0;
}
