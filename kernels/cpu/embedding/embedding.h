// Sum of embedding rows, normalised: the first layer of a transformer encoder.
#ifndef TENON_KERNELS_CPU_EMBEDDING_EMBEDDING_H
#define TENON_KERNELS_CPU_EMBEDDING_EMBEDDING_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

constexpr int32_t kEmbeddingMaxTables = 4;

// s[r, :] = sum_t table_t[index_t(r), :];  y[r, :] = layer norm of s[r, :] (see norm.h), or s when normalize is false.
// index_t(r) = indices_t[r % index_count_t]: fewer indices than rows repeat, as positions do over a batch. Without
// indices the index is r % index_count_t itself. Negative indices count from the end. f32, dense rows of cols elements.
struct EmbeddingParams {
    int32_t table_count;  // 1..4
    int32_t index_bytes;  // 4 or 8, signed
    const float* tables[kEmbeddingMaxTables];
    int64_t table_rows[kEmbeddingMaxTables];
    const void* indices[kEmbeddingMaxTables];   // may be null
    int64_t index_counts[kEmbeddingMaxTables];  // >= 1
    const float* scale;                         // [cols]; null: 1
    const float* bias;                          // [cols]; null: 0
    float* y;
    float* sum;  // receives s; may be null
    int64_t cols;
    float epsilon;
    bool normalize;
};

// Where an index was out of range: table -1 when none was.
struct EmbeddingError {
    int32_t table;
    int64_t position;  // in the indices of that table
};

struct EmbeddingKernels {
    Isa isa;
    // Does rows row_begin .. row_end-1; stops at the first bad index without reading outside the tables.
    EmbeddingError (*run)(const EmbeddingParams& params, int64_t row_begin, int64_t row_end);
};

#define TENON_KERNEL(isa, name)         \
    namespace isa {                     \
    extern const EmbeddingKernels name; \
    }
#include "embedding.inc"
#undef TENON_KERNEL

const EmbeddingKernels& select_embedding(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
