#include "resize.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("resize");

void test_one(const ResizeKernels& kernels, int64_t h, int64_t w, int64_t dst_h, int64_t dst_w, int64_t h_taps,
              int64_t w_taps, bool weighted) {
    const int64_t planes = 3;
    Random random(h * w + dst_w);
    Guarded<float> x(planes * h * w), y(planes * dst_h * dst_w), scratch(w), hw(dst_h * h_taps), ww(dst_w * w_taps);
    Guarded<int32_t> hi(dst_h * h_taps), wi(dst_w * w_taps);
    random.fill(x.get(), x.size());
    random.fill(hw.get(), hw.size());
    random.fill(ww.get(), ww.size());
    for (int64_t i = 0; i < hi.size(); ++i) hi[i] = static_cast<int32_t>(random.below(h));
    for (int64_t i = 0; i < wi.size(); ++i) wi[i] = static_cast<int32_t>(random.below(w));
    const ResizeParams p{x.get(),
                         y.get(),
                         h,
                         w,
                         dst_h,
                         dst_w,
                         h_taps,
                         w_taps,
                         hi.get(),
                         wi.get(),
                         weighted ? hw.get() : nullptr,
                         weighted ? ww.get() : nullptr};
    const int64_t rows = planes * dst_h;
    kernels.run(p, scratch.get(), 0, rows / 2);
    kernels.run(p, scratch.get(), rows / 2, rows);
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t j = 0; j < dst_w; ++j) {
            double expected = 0, magnitude = 0;
            for (int64_t t = 0; t < h_taps; ++t) {
                for (int64_t u = 0; u < w_taps; ++u) {
                    const int64_t a = row % dst_h * h_taps + t, b = j * w_taps + u;
                    const double weight = weighted ? static_cast<double>(hw[a]) * static_cast<double>(ww[b]) : 1;
                    const double term = weight * static_cast<double>(x[(row / dst_h * h + hi[a]) * w + wi[b]]);
                    expected += term;
                    magnitude += fabs(term);
                }
            }
            checker.expect(close(y[row * dst_w + j], expected, sum_tolerance(h_taps * w_taps, magnitude)),
                           "%lldx%lld taps %lldx%lld: %.9g, expected %.9g (%s)", (long long)dst_h, (long long)dst_w,
                           (long long)h_taps, (long long)w_taps, y[row * dst_w + j], expected, isa_name(kernels.isa));
        }
    }
}

void test_all(const ResizeKernels& kernels) {
    for (int64_t w : {1, 7, 16, 17, 33}) {
        for (int64_t dst_w : {0, 1, 15, 16, 17, 65}) {
            test_one(kernels, 5, w, 7, dst_w, 1, 1, false);
            test_one(kernels, 5, w, 7, dst_w, 2, 2, true);
            test_one(kernels, 5, w, 3, dst_w, 4, 4, true);
            test_one(kernels, 5, w, 3, dst_w, 1, 3, true);
            test_one(kernels, 5, w, 3, dst_w, 2, 1, false);
        }
    }
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "resize.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
