// What the launcher hands to the kernels.
#pragma once
#include "norm/norm_params.h"

namespace tenon::cuda {

// A table and what selects its rows. table is null where it adds nothing.
struct EmbeddingTerm {
    const void* table;
    const void* ids;
    int64_t rows, stride;
};

struct EmbeddingParams {
    NormParams norm;
    EmbeddingTerm terms[3];  // words, positions, types
    int32_t* error;
    int64_t position_offset;
    uint32_t sequence;
    int32_t wide_ids;  // int64, else int32
};

}  // namespace tenon::cuda
