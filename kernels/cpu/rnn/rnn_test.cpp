#include "rnn.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("rnn");

double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

void test_lstm(const RnnKernels& kernels, int64_t hidden, bool peepholes, bool in_place) {
    const int64_t rows = 3, pad = 3;
    Random random(hidden);
    Guarded<float> gates(rows * (4 * hidden + pad)), c0(rows * (hidden + pad)), c1(rows * (hidden + pad)),
        h1(rows * (hidden + pad));
    Guarded<float> pi(hidden), po(hidden), pf(hidden);
    random.fill(gates.get(), gates.size(), -6, 6);
    random.fill(c0.get(), c0.size(), -2, 2);
    for (Guarded<float>* p : {&pi, &po, &pf}) random.fill(p->get(), hidden);
    const std::vector<float> before(c0.get(), c0.get() + c0.size());
    const LstmParams p{gates.get(),
                       c0.get(),
                       peepholes ? pi.get() : nullptr,
                       peepholes ? po.get() : nullptr,
                       peepholes ? pf.get() : nullptr,
                       in_place ? c0.get() : c1.get(),
                       h1.get(),
                       hidden,
                       4 * hidden + pad,
                       hidden + pad,
                       hidden + pad,
                       hidden + pad};
    kernels.lstm(p, {0, 1, 0, hidden});
    kernels.lstm(p, {1, rows, 0, hidden / 3});
    kernels.lstm(p, {1, rows, hidden / 3, hidden});
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t j = 0; j < hidden; ++j) {
            const float* g = gates.get() + r * (4 * hidden + pad) + j;
            const double c = before[r * (hidden + pad) + j];
            const double i = sigmoid(g[0] + (peepholes ? pi[j] * c : 0)),
                         f = sigmoid(g[2 * hidden] + (peepholes ? pf[j] * c : 0));
            const double next = f * c + i * tanh(g[3 * hidden]);
            const double o = sigmoid(g[hidden] + (peepholes ? po[j] * next : 0));
            const Tolerance tolerance{16 * kEpsilonF32, 8 * kEpsilonF32};
            checker.expect(close(p.c1[r * (hidden + pad) + j], next, tolerance), "lstm c: %.9g, expected %.9g (%s)",
                           p.c1[r * (hidden + pad) + j], next, isa_name(kernels.isa));
            checker.expect(close(h1[r * (hidden + pad) + j], o * tanh(next), tolerance), "lstm h: %.9g (%s)",
                           h1[r * (hidden + pad) + j], isa_name(kernels.isa));
        }
    }
}

void test_gru(const RnnKernels& kernels, int64_t hidden, bool in_place) {
    const int64_t rows = 3;
    Random random(hidden);
    Guarded<float> x(rows * 3 * hidden), h(rows * 3 * hidden), h0(rows * hidden), h1(rows * hidden);
    random.fill(x.get(), x.size(), -3, 3);
    random.fill(h.get(), h.size(), -3, 3);
    random.fill(h0.get(), h0.size());
    const std::vector<float> before(h0.get(), h0.get() + h0.size());
    const GruParams p{x.get(),    h.get(), h0.get(), in_place ? h0.get() : h1.get(), hidden, 3 * hidden,
                      3 * hidden, hidden,  hidden};
    kernels.gru(p, {0, 1, 0, hidden});
    kernels.gru(p, {1, rows, 0, hidden / 3});
    kernels.gru(p, {1, rows, hidden / 3, hidden});
    for (int64_t r = 0; r < rows; ++r) {
        for (int64_t j = 0; j < hidden; ++j) {
            const float *a = x.get() + r * 3 * hidden + j, *b = h.get() + r * 3 * hidden + j;
            const double z = sigmoid(static_cast<double>(a[0]) + b[0]),
                         g = sigmoid(static_cast<double>(a[hidden]) + b[hidden]);
            const double n = tanh(a[2 * hidden] + g * b[2 * hidden]),
                         expected = (1 - z) * n + z * before[r * hidden + j];
            checker.expect(close(p.h1[r * hidden + j], expected, {16 * kEpsilonF32, 8 * kEpsilonF32}),
                           "gru: %.9g, expected %.9g (%s)", p.h1[r * hidden + j], expected, isa_name(kernels.isa));
        }
    }
}

void test_all(const RnnKernels& kernels) {
    for (int64_t hidden : test::lengths()) {
        for (int options = 0; options < 4; ++options) test_lstm(kernels, hidden, options & 1, options & 2);
        test_gru(kernels, hidden, false);
        test_gru(kernels, hidden, true);
    }
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "rnn.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
