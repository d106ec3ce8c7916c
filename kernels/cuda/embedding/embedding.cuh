#pragma once
#include "embedding/embedding_params.h"
#include "norm/norm.cuh"

namespace tenon::cuda {

// The row of this warp or block.
template <class T, int N, Row by>
TENON_DEVICE void embedding(const EmbeddingParams& p, float* shared) {
    const uint32_t row = norm_row_index<by>(p.norm);
    if (row >= p.norm.rows) return;
    const T* from[3];
    bool good = true;
    TENON_UNROLL
    for (int t = 0; t < 3; t++) {
        const EmbeddingTerm& term = p.terms[t];
        from[t] = nullptr;
        if (!term.table) continue;
        int64_t id;
        if (!term.ids) {
            id = p.position_offset + row % p.sequence;
        } else {
            id = p.wide_ids ? static_cast<const int64_t*>(term.ids)[row] : static_cast<const int32_t*>(term.ids)[row];
        }
        if (id < 0) id += term.rows;
        good = good && id >= 0 && id < term.rows;
        from[t] = static_cast<const T*>(term.table) + (good ? id : 0) * term.stride;
    }
    if (!good) {
        from[0] = from[1] = from[2] = nullptr;
        if ((by == Row::warp ? lane_id() : static_cast<int>(threadIdx.x)) == 0 && p.error) atomicExch(p.error, 1);
    }
    // Nothing is quantized: spares the compiler what that takes.
    NormParams norm = p.norm;
    norm.row_scale = nullptr;
    norm.y_type = 0;
    auto terms = [&](int t) { return from[t]; };
    norm_row<T, N, by, 3>(norm, row, terms, shared);
}

}  // namespace tenon::cuda
