// How far is the first layer of an encoder (three tables, 768 columns) from a copy of its result?
#include "../common/test_support.h"
#include "embedding.h"

int main() {
    using namespace tenon::cpu;
    const int64_t rows = 512, cols = 768, words = 30000;
    std::vector<float> table(words * cols, 0.5f), y(rows * cols), scale(cols, 1), bias(cols, 0);
    std::vector<int64_t> indices(rows);
    test::Random random(1);
    for (int64_t& index : indices) index = random.below(words);
    EmbeddingParams p{};
    p.table_count = 3;
    p.index_bytes = 8;
    for (int t = 0; t < 3; ++t) {
        p.tables[t] = table.data();
        p.table_rows[t] = words;
        p.indices[t] = t == 0 ? indices.data() : nullptr;
        p.index_counts[t] = t == 2 ? 1 : rows;
    }
    p.scale = scale.data();
    p.bias = bias.data();
    p.y = y.data();
    p.cols = cols;
    p.epsilon = 1e-5f;
    p.normalize = true;
    const double rate = test::memcpy_rate(rows * cols * 4);
#define TENON_KERNEL(isa, name)                                                                                 \
    if (Isa::isa <= best_isa()) {                                                                               \
        const double s = test::best_seconds([&] { isa::name.run(p, 0, rows); });                                \
        printf("embedding %lld x %lld %-7s %9.2f us %5.2f of memcpy\n", (long long)rows, (long long)cols, #isa, \
               s * 1e6, 8 * static_cast<double>(rows * cols) / s / rate);                                       \
    }
#include "embedding.inc"
#undef TENON_KERNEL
    return 0;
}
