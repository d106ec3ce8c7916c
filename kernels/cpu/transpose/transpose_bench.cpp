// How far are the permutations of attention heads and of image layouts from a plain copy?
#include "../common/test_support.h"
#include "transpose.h"

int main() {
    using namespace tenon::cpu;
    struct Case {
        const char* name;
        std::vector<int64_t> dims;
        std::vector<int32_t> perm;
    };
    for (const Case& c :
         {Case{"heads 128x12x64", {128, 12, 64}, {1, 0, 2}}, Case{"matrix 1024x1024", {1024, 1024}, {1, 0}},
          Case{"matrix 1000x1000", {1000, 1000}, {1, 0}}, Case{"NCHW to NHWC 64x56x56", {64, 3136}, {1, 0}},
          Case{"HWC to CHW 224x224x3", {50176, 3}, {1, 0}}, Case{"CHW to HWC 3x224x224", {3, 50176}, {1, 0}}}) {
        int64_t n = 1;
        for (int64_t d : c.dims) n *= d;
        std::vector<float> x(n, 1), y(n);
        TransposePlan plan;
        if (!transpose_plan(c.dims.data(), c.perm.data(), static_cast<int32_t>(c.dims.size()), 4, &plan)) return 1;
        const double rate = test::memcpy_rate(n * 4);
#define TENON_KERNEL(isa, name_)                                                                               \
    if (Isa::isa <= best_isa()) {                                                                              \
        const double s = test::best_seconds([&] { isa::name_.run(plan, x.data(), y.data(), 0, plan.units); }); \
        printf("%-24s %-7s %9.2f us %7.2f GB/s %5.2f of memcpy\n", c.name, #isa, s * 1e6,                      \
               8e-9 * static_cast<double>(n) / s, 8 * static_cast<double>(n) / s / rate);                      \
    }
#include "transpose.inc"
#undef TENON_KERNEL
    }
    return 0;
}
