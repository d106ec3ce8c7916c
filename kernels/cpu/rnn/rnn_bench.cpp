// Nanoseconds per hidden unit of the elementwise half of a step.
#include "../common/test_support.h"
#include "rnn.h"

int main() {
    using namespace tenon::cpu;
    for (int64_t hidden : {128, 1024}) {
        std::vector<float> gates(4 * hidden, 0.5f), h_gates(3 * hidden, 0.25f), c(hidden, 0.1f), h(hidden, 0.2f);
        const LstmParams lstm{gates.data(), c.data(), nullptr,    nullptr, nullptr, c.data(),
                              h.data(),     hidden,   4 * hidden, hidden,  hidden,  hidden};
        const GruParams gru{gates.data(), h_gates.data(), h.data(), h.data(), hidden,
                            3 * hidden,   3 * hidden,     hidden,   hidden};
#define TENON_KERNEL(isa, name)                                                                                       \
    if (Isa::isa <= best_isa()) {                                                                                     \
        const double l = test::best_seconds([&] { isa::name.lstm(lstm, {0, 1, 0, hidden}); });                        \
        const double g = test::best_seconds([&] { isa::name.gru(gru, {0, 1, 0, hidden}); });                          \
        printf("hidden %lld %-7s lstm %7.3f us (%5.2f ns/unit)  gru %7.3f us (%5.2f ns/unit)\n", (long long)hidden,   \
               #isa, l * 1e6, l * 1e9 / static_cast<double>(hidden), g * 1e6, g * 1e9 / static_cast<double>(hidden)); \
    }
#include "rnn.inc"
#undef TENON_KERNEL
    }
    return 0;
}
