#include "softmax.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("softmax");

const float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<const SoftmaxKernels*> variants() {
    std::vector<const SoftmaxKernels*> list;
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) list.push_back(&isa::name);
#include "softmax.inc"
#undef TENON_KERNEL
    return list;
}

// Softmax of v[0], v[stride], ... in double.
std::vector<double> reference(const double* v, int64_t n, int64_t stride, bool log_form) {
    double most = -INFINITY, total = 0;
    bool has_nan = false;
    for (int64_t i = 0; i < n; ++i) {
        has_nan = has_nan || v[i * stride] != v[i * stride];
        most = v[i * stride] > most ? v[i * stride] : most;
    }
    if (has_nan) most = NAN;
    for (int64_t i = 0; i < n; ++i) total += exp(v[i * stride] - most);
    std::vector<double> y(n);
    for (int64_t i = 0; i < n; ++i)
        y[i] = log_form ? v[i * stride] - most - log(total) : exp(v[i * stride] - most) / total;
    return y;
}

// The argument of exp is rounded to f32, which scales the error of the result with it.
Tolerance tolerance(double expected, bool log_form, double magnitude) {
    if (log_form) return {4 * kEpsilonF32, 4 * kEpsilonF32 * (1 + magnitude)};
    return {(6 + 2 * fabs(log(expected < 1e-45 ? 1e-45 : expected)) + magnitude) * kEpsilonF32, 2 * kSmallestF32};
}

void test_rows(const SoftmaxKernels& kernels, int64_t cols, bool log_form, bool masked, float scale, float range,
               bool in_place) {
    const int64_t batch = 2, heads = 3, queries = 2, rows = batch * heads * queries;
    Random random(cols + 7 * masked);
    Guarded<float> x(rows * cols), y(rows * cols), mask(batch * queries * cols);
    random.fill(x.get(), rows * cols, -range, range);
    for (int64_t i = 0; i < batch * queries * cols; ++i) mask[i] = random.below(3) == 0 ? -kInf : random.real(-1, 1);
    if (cols > 3) {
        x[cols - 1] = kNan;
        x[2 * cols] = kInf;
        for (int64_t i = 0; i < cols; ++i) x[3 * cols + i] = -kInf;
        x[4 * cols + 1] = -kInf;
    }
    std::vector<double> v(rows * cols);
    for (int64_t r = 0; r < rows; ++r) {
        const int64_t mask_row = r / (heads * queries) * queries + r % queries;
        for (int64_t i = 0; i < cols; ++i) {
            v[r * cols + i] = static_cast<double>(x[r * cols + i]) * scale +
                              (masked ? static_cast<double>(mask[mask_row * cols + i]) : 0.0);
        }
    }
    const SoftmaxParams p{x.get(),  in_place ? x.get() : y.get(),
                          cols,     scale,
                          log_form, masked ? mask.get() : nullptr,
                          queries,  heads,
                          cols,     queries * cols};
    kernels.rows(p, 0, 5);
    kernels.rows(p, 5, rows);
    for (int64_t r = 0; r < rows; ++r) {
        const std::vector<double> expected = reference(v.data() + r * cols, cols, 1, log_form);
        for (int64_t i = 0; i < cols; ++i) {
            checker.expect(close(p.y[r * cols + i], expected[i], tolerance(expected[i], log_form, range * scale)),
                           "rows cols %lld row %lld log %d mask %d: %.9g, expected %.9g (%s)", (long long)cols,
                           (long long)r, log_form, masked, p.y[r * cols + i], expected[i], isa_name(kernels.isa));
        }
    }
}

void test_axis(const SoftmaxKernels& kernels, int64_t axis, int64_t inner, bool log_form, bool in_place) {
    const int64_t outer = 2, n = outer * axis * inner;
    Random random(axis * 100 + inner);
    Guarded<float> x(n), y(n);
    random.fill(x.get(), n, -8, 8);
    if (n > 4) x[n - 1] = kNan;
    std::vector<double> v(n);
    for (int64_t i = 0; i < n; ++i) v[i] = x[i];
    const SoftmaxAxisParams p{x.get(), in_place ? x.get() : y.get(), axis, inner, log_form};
    const int64_t cut = random.below(outer * inner + 1);
    kernels.axis(p, 0, cut);
    kernels.axis(p, cut, outer * inner);
    for (int64_t lane = 0; lane < outer * inner; ++lane) {
        const int64_t at = lane / inner * axis * inner + lane % inner;
        const std::vector<double> expected = reference(v.data() + at, axis, inner, log_form);
        for (int64_t a = 0; a < axis; ++a) {
            checker.expect(close(p.y[at + a * inner], expected[a], tolerance(expected[a], log_form, 16)),
                           "axis %lld inner %lld: %.9g, expected %.9g (%s)", (long long)axis, (long long)inner,
                           p.y[at + a * inner], expected[a], isa_name(kernels.isa));
        }
    }
}

}  // namespace

int run_all() {
    for (const SoftmaxKernels* kernels : variants()) {
        for (int64_t cols : test::lengths()) {
            for (int options = 0; options < 8; ++options) {
                test_rows(*kernels, cols, options & 1, options & 2, options & 4 ? 0.125f : 1.0f, 10, options & 4);
            }
            test_rows(*kernels, cols, false, false, 1, 1000, false);
            test_rows(*kernels, cols, true, false, 1, 1000, false);
        }
        test_rows(*kernels, 20011, false, false, 1, 2, false);
        for (int64_t axis : {0, 1, 2, 21, 91}) {
            for (int64_t inner : {1, 2, 15, 16, 17, 33, 64, 67, 130}) {
                for (int options = 0; options < 4; ++options)
                    test_axis(*kernels, axis, inner, options & 1, options & 2);
            }
        }
    }
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
