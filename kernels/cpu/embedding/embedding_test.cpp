#include "embedding.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("embedding");

template <class Index>
void test_one(const EmbeddingKernels& kernels, int64_t cols, int32_t tables, bool normalize, bool outputs) {
    const int64_t rows = 12, words = 9, positions = 6, kinds = 2;
    const int64_t table_rows[] = {words, positions, kinds, words};
    const int64_t index_counts[] = {rows, positions, rows, 4};
    Random random(cols * 4 + tables);
    Guarded<float> t0(words * cols), t1(positions * cols), t2(kinds * cols), t3(words * cols), y(rows * cols),
        sum(rows * cols), scale(cols), bias(cols);
    Guarded<Index> i0(rows), i2(rows), i3(4);
    Guarded<float>* data[] = {&t0, &t1, &t2, &t3};
    for (Guarded<float>* t : data) random.fill(t->get(), t->size());
    random.fill(scale.get(), cols);
    random.fill(bias.get(), cols);
    for (int64_t i = 0; i < rows; ++i)
        i0[i] = static_cast<Index>(random.below(2 * words) - words), i2[i] = static_cast<Index>(i % kinds);
    for (int64_t i = 0; i < 4; ++i) i3[i] = static_cast<Index>(i);
    Guarded<Index>* indices[] = {&i0, nullptr, &i2, &i3};
    EmbeddingParams p{};
    p.table_count = tables;
    p.index_bytes = sizeof(Index);
    for (int32_t t = 0; t < tables; ++t) {
        p.tables[t] = data[t]->get();
        p.table_rows[t] = table_rows[t];
        p.indices[t] = indices[t] == nullptr ? nullptr : indices[t]->get();
        p.index_counts[t] = index_counts[t];
    }
    p.scale = scale.get();
    p.bias = outputs ? bias.get() : nullptr;
    p.y = y.get();
    p.sum = outputs ? sum.get() : nullptr;
    p.cols = cols;
    p.epsilon = 1e-5f;
    p.normalize = normalize;
    checker.expect(kernels.run(p, 0, 5).table == -1 && kernels.run(p, 5, rows).table == -1, "indices are in range");
    for (int64_t r = 0; r < rows && cols > 0; ++r) {
        std::vector<double> s(cols, 0);
        for (int32_t t = 0; t < tables; ++t) {
            const int64_t at = r % index_counts[t];
            int64_t index = indices[t] == nullptr ? at : static_cast<int64_t>((*indices[t])[at]);
            if (index < 0) index += table_rows[t];
            for (int64_t c = 0; c < cols; ++c) s[c] += (*data[t])[index * cols + c];
        }
        double mean = 0, variance = 0;
        for (double v : s) mean += v / static_cast<double>(cols);
        for (double v : s) variance += (v - mean) * (v - mean) / static_cast<double>(cols);
        for (int64_t c = 0; c < cols; ++c) {
            const double factor = 1 / sqrt(variance + 1e-5);
            const double expected = normalize ? (s[c] - mean) * factor * scale[c] + (outputs ? bias[c] : 0) : s[c];
            // The sum of the rows is rounded; dividing by a small deviation makes that larger.
            const Tolerance tolerance{8 * kEpsilonF32, 8 * kEpsilonF32 * (normalize ? 1 + 4 * factor : 4)};
            checker.expect(close(y[r * cols + c], expected, tolerance), "cols %lld tables %d: %.9g, expected %.9g (%s)",
                           (long long)cols, tables, y[r * cols + c], expected, isa_name(kernels.isa));
            if (outputs) checker.expect(close(sum[r * cols + c], s[c], {4 * kEpsilonF32, 4 * kEpsilonF32}), "sum");
        }
    }
    i0[7] = static_cast<Index>(words);
    const EmbeddingError error = kernels.run(p, 0, rows);
    checker.expect(error.table == 0 && error.position == 7, "index out of range is reported");
}

void test_all(const EmbeddingKernels& kernels) {
    for (int64_t cols : test::lengths()) {
        for (int32_t tables = 1; tables <= 4; ++tables) {
            test_one<int64_t>(kernels, cols, tables, true, tables % 2 == 0);
            test_one<int32_t>(kernels, cols, tables, tables % 2 == 0, true);
        }
    }
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "embedding.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
