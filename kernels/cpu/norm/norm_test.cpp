#include "norm.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("norm");

std::vector<const NormKernels*> variants() {
    std::vector<const NormKernels*> list;
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) list.push_back(&isa::name);
#include "norm.inc"
#undef TENON_KERNEL
    return list;
}

// Normalised values are of order 1; the subtraction of the mean costs digits in proportion to it.
Tolerance tolerance(double mean, double factor, double scale) {
    return {8 * kEpsilonF32, 8 * kEpsilonF32 * (1 + fabs(mean) * factor) * (fabs(scale) + 1)};
}

void test_rows(const NormKernels& kernels, bool rms, int64_t cols, int options) {
    const int64_t rows = 3;
    const bool residual = options & 1, affine = options & 2, outputs = options & 4, in_place = options & 8;
    Random random(cols * 16 + options);
    Guarded<float> x(rows * cols), r(rows * cols), scale(cols), bias(cols), y(rows * cols), sum(rows * cols),
        mean(rows), inv(rows);
    random.fill(x.get(), rows * cols, -1, 3);
    random.fill(r.get(), rows * cols, -2, 1);
    random.fill(scale.get(), cols, -2, 2);
    random.fill(bias.get(), cols);
    std::vector<double> s(rows * cols);
    for (int64_t i = 0; i < rows * cols; ++i) s[i] = residual ? x[i] + r[i] : x[i];
    RowNormParams p{x.get(),
                    residual ? r.get() : nullptr,
                    affine ? scale.get() : nullptr,
                    affine ? bias.get() : nullptr,
                    in_place ? x.get() : y.get(),
                    outputs ? sum.get() : nullptr,
                    outputs && !rms ? mean.get() : nullptr,
                    outputs ? inv.get() : nullptr,
                    cols,
                    1e-5f};
    const auto run = rms ? kernels.rms_norm : kernels.layer_norm;
    run(p, 0, 1);
    run(p, 1, rows);
    for (int64_t row = 0; row < rows && cols > 0; ++row) {
        double m = 0, v = 0;
        for (int64_t i = 0; i < cols && !rms; ++i) m += s[row * cols + i] / static_cast<double>(cols);
        for (int64_t i = 0; i < cols; ++i) v += pow(s[row * cols + i] - m, 2) / static_cast<double>(cols);
        const double factor = 1 / sqrt(v + static_cast<double>(1e-5f));
        for (int64_t i = 0; i < cols; ++i) {
            const double a = affine ? scale[i] : 1, b = affine ? bias[i] : 0;
            const double expected = (s[row * cols + i] - m) * factor * a + b;
            checker.expect(close(p.y[row * cols + i], expected, tolerance(m, factor, a)),
                           "%s cols %lld options %d: %.9g, expected %.9g (%s)", rms ? "rms" : "layer", (long long)cols,
                           options, p.y[row * cols + i], expected, isa_name(kernels.isa));
            if (outputs) checker.expect(static_cast<double>(sum[row * cols + i]) == s[row * cols + i], "sum");
        }
        if (outputs)
            checker.expect(close(inv[row], factor, {1e-5, 0}), "inv_std %.9g, expected %.9g", inv[row], factor);
        if (outputs && !rms)
            checker.expect(close(mean[row], m, {1e-6, 1e-6}), "mean %.9g, expected %.9g", mean[row], m);
    }
}

void test_groups(const NormKernels& kernels, int64_t channels, int64_t groups, int64_t inner, bool affine) {
    const int64_t batch = 2, n = channels / groups * inner, total = batch * channels * inner;
    Random random(channels * 31 + inner);
    Guarded<float> x(total), y(total), scale(channels), bias(channels);
    random.fill(x.get(), total, 2, 4);
    random.fill(scale.get(), channels, -2, 2);
    random.fill(bias.get(), channels);
    const GroupNormParams p{
        x.get(), affine ? scale.get() : nullptr, affine ? bias.get() : nullptr, y.get(), channels, groups, inner,
        1e-3f};
    kernels.group_norm(p, 0, 1);
    kernels.group_norm(p, 1, batch * groups);
    for (int64_t row = 0; row < batch * groups; ++row) {
        double m = 0, v = 0;
        for (int64_t i = 0; i < n; ++i) m += x[row * n + i] / static_cast<double>(n);
        for (int64_t i = 0; i < n; ++i) v += pow(x[row * n + i] - m, 2) / static_cast<double>(n);
        const double factor = 1 / sqrt(v + static_cast<double>(1e-3f));
        for (int64_t i = 0; i < n; ++i) {
            const int64_t c = row % groups * (channels / groups) + i / inner;
            const double a = affine ? scale[c] : 1, b = affine ? bias[c] : 0;
            const double expected = (x[row * n + i] - m) * factor * a + b;
            checker.expect(close(y[row * n + i], expected, tolerance(m, factor, a)),
                           "group inner %lld: %.9g, expected %.9g (%s)", (long long)inner, y[row * n + i], expected,
                           isa_name(kernels.isa));
        }
    }
}

// A large offset must not swamp the variance, and one NaN stays in its row.
void test_hard_values(const NormKernels& kernels) {
    const int64_t cols = 1000;
    Guarded<float> x(2 * cols), y(2 * cols);
    for (int64_t i = 0; i < 2 * cols; ++i) x[i] = 10000.0f + static_cast<float>(i % 2);
    x[cols + 5] = std::numeric_limits<float>::quiet_NaN();
    RowNormParams p{};
    p.x = x.get();
    p.y = y.get();
    p.cols = cols;
    kernels.layer_norm(p, 0, 2);
    for (int64_t i = 0; i < cols; ++i) {
        checker.expect(fabsf(y[i] - (i % 2 ? 1.0f : -1.0f)) < 1e-3f, "offset: %.9g", y[i]);
        checker.expect(y[cols + i] != y[cols + i], "NaN reaches its row");
    }
}

}  // namespace

int run_all() {
    for (const NormKernels* kernels : variants()) {
        for (int64_t cols : test::lengths()) {
            for (int options = 0; options < 16; ++options) {
                test_rows(*kernels, false, cols, options);
                test_rows(*kernels, true, cols, options);
            }
        }
        test_rows(*kernels, false, 20011, 2);
        for (int64_t inner : {1, 3, 15, 16, 17, 33, 49, 3136}) {
            for (bool affine : {false, true}) {
                test_groups(*kernels, 6, 6, inner, affine);
                test_groups(*kernels, 6, 2, inner, affine);
                test_groups(*kernels, 5, 1, inner, affine);
            }
        }
        test_hard_values(*kernels);
    }
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
