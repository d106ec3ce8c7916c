#include "gemv.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("gemv");

std::vector<const GemvKernels*> variants() {
    std::vector<const GemvKernels*> list;
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) list.push_back(&isa::name);
#include "gemv.inc"
#undef TENON_KERNEL
    return list;
}

double activation(Function function, double x, double a, double b) {
    switch (function) {
        case Function::relu:
            return x < 0 ? 0 : x;
        case Function::leaky_relu:
            return x < 0 ? a * x : x;
        case Function::elu:
            return x < 0 ? a * expm1(x) : x;
        case Function::clip:
            return x < a ? a : x > b ? b : x;
        case Function::sigmoid:
            return 1 / (1 + exp(-x));
        case Function::tanh:
            return tanh(x);
        case Function::silu:
            return x / (1 + exp(-a * x));
        case Function::gelu_erf:
            return x / 2 * (1 + erf(x / sqrt(2.0)));
        case Function::gelu_tanh:
            return x / 2 * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
        case Function::hard_sigmoid:
            return fmax(0, fmin(1, a * x + b));
        case Function::hard_swish:
            return x * fmax(0, fmin(1, a * x + b));
        default:
            return x;
    }
}

enum Option { kTransposed = 1, kBias = 2, kResidual = 4, kInPlace = 8, kStrides = 16 };

void test_one(const GemvKernels& kernels, int64_t m, int64_t k, int64_t n, int options, Function function) {
    Random random(m * 1000 + k * 10 + n);
    const int64_t pad = options & kStrides ? 5 : 0, panels = (n + kGemvPanel - 1) / kGemvPanel;
    Guarded<float> x((m - 1) * (k + pad) + k), w(k * n), bias(n), residual((m - 1) * (n + pad) + n),
        y((m - 1) * (n + pad) + n);
    Guarded<float> packed(gemv_packed_bytes(k, n) / 4);
    random.fill(x.get(), x.size());
    random.fill(w.get(), w.size());
    random.fill(bias.get(), n);
    random.fill(residual.get(), residual.size());
    for (int64_t i = 0; i < y.size(); ++i) y[i] = 77;
    const bool transposed = options & kTransposed, in_place = options & kInPlace && options & kResidual;
    const int64_t row_stride = transposed ? 1 : n, col_stride = transposed ? k : 1;
    gemv_pack(w.get(), row_stride, col_stride, k, n, packed.get(), 0, panels / 2);
    gemv_pack(w.get(), row_stride, col_stride, k, n, packed.get(), panels / 2, panels);
    const std::vector<float> before(residual.get(), residual.get() + residual.size());
    const GemvParams p{x.get(),
                       packed.get(),
                       options & kBias ? bias.get() : nullptr,
                       options & kResidual ? residual.get() : nullptr,
                       in_place ? residual.get() : y.get(),
                       m,
                       k,
                       n,
                       k + pad,
                       n + pad,
                       n + pad,
                       function,
                       0.25f,
                       0.5f};
    kernels.run(p, 0, panels / 2);
    kernels.run(p, panels / 2, panels);
    for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
            double total = 0, magnitude = 1;
            for (int64_t a = 0; a < k; ++a) {
                const double product =
                    static_cast<double>(x[i * (k + pad) + a]) * static_cast<double>(w[a * row_stride + j * col_stride]);
                total += product;
                magnitude += fabs(product);
            }
            if (p.bias != nullptr) total += bias[j];
            if (p.residual != nullptr) total += before[i * (n + pad) + j];
            Tolerance tolerance = sum_tolerance(k, magnitude);
            tolerance.absolute = 2 * tolerance.absolute + kGated.absolute;  // slopes of the activations are below 2
            const double expected = activation(function, total, 0.25, 0.5);
            checker.expect(close(p.y[i * (n + pad) + j], expected, tolerance),
                           "M %lld K %lld N %lld options %d function %d: %.9g, expected %.9g (%s)", (long long)m,
                           (long long)k, (long long)n, options, static_cast<int>(function), p.y[i * (n + pad) + j],
                           expected, isa_name(kernels.isa));
        }
        for (int64_t j = n; j < n + pad && i + 1 < m && !in_place; ++j)
            checker.expect(y[i * (n + pad) + j] == 77, "wrote between rows");
    }
}

}  // namespace

int run_all() {
    for (const GemvKernels* kernels : variants()) {
        for (int64_t m = 1; m <= kGemvMaxRows; ++m) {
            for (int64_t k : {0, 1, 2, 3, 17, 100}) {
                for (int64_t n : {1, 7, 8, 9, 15, 16, 17, 33, 48, 63, 64, 65, 100, 128, 200}) {
                    test_one(*kernels, m, k, n, static_cast<int>((k + n + m) % 32), Function::identity);
                }
            }
            for (int options = 0; options < 32; ++options) test_one(*kernels, m, 35, 81, options, Function::relu);
        }
        for (int number = 0; number <= 47; ++number) {
            const Function function = static_cast<Function>(number);
            if (kernels->supported(function)) test_one(*kernels, 3, 20, 70, kBias, function);
        }
        test_one(*kernels, 1, 784, 128, kBias, Function::relu);
        test_one(*kernels, 1, 9216, 65, kTransposed, Function::identity);
    }
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
