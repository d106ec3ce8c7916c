// Nanoseconds per element of a row softmax (attention scores, class scores) and of one over channels.
#include "../common/test_support.h"
#include "softmax.h"

int main() {
    using namespace tenon::cpu;
    struct Case {
        int64_t rows, cols, inner;
    };
    for (const Case& c : {Case{12 * 128, 128, 1}, Case{1, 1000, 1}, Case{12 * 1024, 1024, 1}, Case{1, 21, 256 * 256}}) {
        const int64_t n = c.rows * c.cols * c.inner;
        std::vector<float> x(n), y(n);
        test::Random(1).fill(x.data(), n, -5, 5);
        const double rate = test::memcpy_rate(n * 4);
        const SoftmaxAxisParams p{x.data(), y.data(), c.cols, c.inner, false};
#define TENON_KERNEL(isa, name)                                                                                  \
    if (Isa::isa <= best_isa()) {                                                                                \
        const double s = test::best_seconds([&] { isa::name.axis(p, 0, c.rows* c.inner); });                     \
        printf("softmax [%lld, %lld, %lld] %-7s %9.2f us %7.3f ns/element %5.2f of memcpy\n", (long long)c.rows, \
               (long long)c.cols, (long long)c.inner, #isa, s * 1e6, s / static_cast<double>(n) * 1e9,           \
               8 * static_cast<double>(n) / s / rate);                                                           \
    }
#include "softmax.inc"
#undef TENON_KERNEL
    }
    return 0;
}
