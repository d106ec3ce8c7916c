// How far are concatenation, slicing and padding from a plain copy?
#include "../common/test_support.h"
#include "copy.h"

int main() {
    using namespace tenon::cpu;
    struct Case {
        const char* name;
        int64_t rows, cols, src_row, src_col, dst_row;
    };
    for (const Case& c :
         {Case{"concat rows 1024x512", 1024, 512, 512, 1, 1024}, Case{"slice cols 56 of 58", 64 * 56, 56, 58, 1, 56},
          Case{"every second of 512", 4096, 256, 512, 2, 256}, Case{"expand 1 to 512", 4096, 512, 1, 0, 512}}) {
        const int64_t dims[] = {c.rows, c.cols}, from[] = {c.src_row, c.src_col}, to[] = {c.dst_row, 1};
        std::vector<float> x(c.rows * c.src_row + c.cols * 2, 1), y(c.rows * c.dst_row);
        CopyPlan plan;
        if (!copy_plan(dims, from, to, 2, 4, &plan)) return 1;
        const int64_t n = c.rows * c.cols;
        const double rate = test::memcpy_rate(n * 4);
#define TENON_KERNEL(isa, name_)                                                                               \
    if (Isa::isa <= best_isa()) {                                                                              \
        const double s = test::best_seconds([&] { isa::name_.run(plan, x.data(), y.data(), 0, plan.units); }); \
        printf("%-24s %-7s %9.2f us %7.2f GB/s %5.2f of memcpy\n", c.name, #isa, s * 1e6,                      \
               8e-9 * static_cast<double>(n) / s, 8 * static_cast<double>(n) / s / rate);                      \
    }
#include "copy.inc"
#undef TENON_KERNEL
    }
    return 0;
}
