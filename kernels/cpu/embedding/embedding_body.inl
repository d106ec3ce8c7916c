
namespace tenon::cpu::TENON_ISA {
namespace {

// The row of table t that output row `row` takes, or null when the index is out of range; *position is that of the
// index.
const float* table_row(const EmbeddingParams& p, int32_t t, int64_t row, int64_t* position) {
    *position = row % p.index_counts[t];
    int64_t index = *position;
    if (p.indices[t] != nullptr) {
        index = p.index_bytes == 4 ? static_cast<const int32_t*>(p.indices[t])[*position]
                                   : static_cast<const int64_t*>(p.indices[t])[*position];
    }
    if (index < 0) index += p.table_rows[t];
    if (index < 0 || index >= p.table_rows[t]) return nullptr;
    return p.tables[t] + index * p.cols;
}

void add_tables(const float* const* from, int32_t tables, float* out, int64_t n) {
    for (int64_t i = 0; i < n; i += kLanes) {
        const int64_t count = n - i < kLanes ? n - i : kLanes;
        F32 total = load_part(from[0] + i, count);
        for (int32_t t = 1; t < tables; ++t) total = total + load_part(from[t] + i, count);
        store_part(out + i, total, count);
    }
}

EmbeddingError run(const EmbeddingParams& p, int64_t row_begin, int64_t row_end) {
    for (int64_t row = row_begin; row < row_end; ++row) {
        const float* from[kEmbeddingMaxTables];
        for (int32_t t = 0; t < p.table_count; ++t) {
            int64_t position;
            from[t] = table_row(p, t, row, &position);
            if (from[t] == nullptr) return {t, position};
        }
        float* y = p.y + row * p.cols;
        add_tables(from, p.table_count, y, p.cols);
        if (p.sum != nullptr) __builtin_memcpy(p.sum + row * p.cols, y, static_cast<uint64_t>(p.cols) * sizeof(float));
        if (!p.normalize) continue;
        const float mean = static_cast<float>(sum_of(y, p.cols, [](F32 v) { return v; }) / static_cast<double>(p.cols));
        const double variance = variance_around(y, mean, p.cols);
        const double inv_std = 1.0 / __builtin_sqrt(variance + static_cast<double>(p.epsilon));
        normalize(y, mean, static_cast<float>(inv_std), p.scale, p.bias, y, p.cols);
    }
    return {-1, 0};
}

}  // namespace

const EmbeddingKernels embedding = {Isa::TENON_ISA, run};

}  // namespace tenon::cpu::TENON_ISA
