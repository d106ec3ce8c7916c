// What the mma and the plain attention kernels share: which work a block does, and which keys a row sees.
#pragma once
#include "attention/attention_params.h"
#include "common/async_copy.cuh"
#include "common/math.cuh"
#include "common/reduce.cuh"
#include "common/vector.cuh"

namespace tenon::cuda {

TENON_DEVICE float minus_infinity() {
    return float_of(0xff800000u);
}

struct AttentionWork {
    int batch, head, kv_head;
    int row0;              // the tile's first query
    int length;            // of the keys
    int diagonal;          // row i sees keys below i + diagonal
    int key_begin, tiles;  // tiles of `keys` keys from key_begin on hold all keys that the tile's rows see
};

// Row i sees the keys first_key <= j < end_key.
TENON_DEVICE int end_key(const AttentionWork& w, int row) {
    return min(w.length, row + w.diagonal);
}
TENON_DEVICE int first_key(const AttentionParams& p, const AttentionWork& w, int row) {
    return p.window ? row + w.diagonal - p.window : 0;
}

// Block (or piece of work) -> heads and queries. Heads come in sections whose keys and values fit in L2 together;
// within a section all heads' last tile of queries comes first, then the one before: with causal masks the longest work
// starts first. Query heads that share keys are neighbours.
template <int rows, int keys>
TENON_DEVICE AttentionWork attention_work(const AttentionParams& p, uint32_t block) {
    uint32_t heads = static_cast<uint32_t>(p.section_heads);
    uint32_t per_section = heads * static_cast<uint32_t>(p.query_tiles);
    uint32_t section = block / per_section, rest = block % per_section;
    uint32_t first = section * heads, left = static_cast<uint32_t>(p.all_heads) - first;
    uint32_t count = left < heads ? left : heads;
    int tile = p.query_tiles - 1 - static_cast<int>(rest / count);
    int at = static_cast<int>(first + rest % count);

    AttentionWork w;
    w.batch = at / p.heads;
    w.head = at % p.heads;
    w.kv_head = w.head / p.group;
    w.row0 = tile * rows;
    w.length = p.kv_lengths ? max(0, min(p.kv_lengths[w.batch], p.keys)) : p.keys;
    w.diagonal = p.causal == TENON_CUDA_ATTENTION_CAUSAL_NONE  ? kAttentionLimit
                 : p.causal == TENON_CUDA_ATTENTION_CAUSAL_END ? w.length - p.queries + 1
                                                               : p.causal_offset + 1;
    int end = end_key(w, min(w.row0 + rows, p.queries) - 1);
    w.key_begin = max(0, first_key(p, w, w.row0)) / keys * keys;
    w.tiles = end > w.key_begin ? (end - w.key_begin + keys - 1) / keys : 0;
    return w;
}

template <class T>
TENON_DEVICE T* at(const AttentionTensor& t, int64_t batch, int64_t head, int64_t row) {
    return static_cast<T*>(const_cast<void*>(t.data)) + batch * t.batch_stride + head * t.head_stride +
           row * t.row_stride;
}

// rows x columns elements to shared memory by all threads; what lies past valid_rows or valid_columns becomes 0. Rows
// in shared memory are 16 bytes longer than their columns.
template <class T, int rows, int columns, int threads>
TENON_DEVICE void load_attention_tile(T* shared, const T* from, int64_t row_stride, int valid_rows, int valid_columns,
                                      bool vectors) {
    constexpr int stride = columns + kVector<T>;
    if (vectors) {
        // `lanes` threads share a row, so that a thread's copies differ by constants.
        constexpr int chunks = columns / kVector<T>, lanes = chunks & -chunks, step = threads / lanes;
        static_assert(threads % lanes == 0 && rows % step == 0);
        const int first_row = static_cast<int>(threadIdx.x / lanes);
        const int first_column = static_cast<int>(threadIdx.x % lanes) * kVector<T>;
        shared += first_row * stride + first_column;
        from += first_row * row_stride + first_column;
        TENON_UNROLL
        for (int row = 0; row < rows; row += step, from += step * row_stride) {
            TENON_UNROLL
            for (int column = 0; column < columns; column += lanes * kVector<T>) {
                async_copy_16(shared + row * stride + column, from + column,
                              row < valid_rows - first_row && column < valid_columns - first_column);
            }
        }
    } else {
        TENON_NO_UNROLL
        for (int i = static_cast<int>(threadIdx.x); i < rows * columns; i += threads) {
            int row = i / columns, column = i % columns;
            bool valid = row < valid_rows && column < valid_columns;
            shared[row * stride + column] = valid ? from[row * row_stride + column] : T{};
        }
    }
}

// Products of q and k become scores in log2: scaled and capped.
template <int n>
TENON_DEVICE void scale_scores(const AttentionParams& p, float (&x)[n]) {
    if (p.softcap_log2 == 0.0f) {
        TENON_UNROLL
        for (int i = 0; i < n; i++) x[i] *= p.scale_log2;
    } else {
        // tanh(y) = 1 - 2 / (1 + e^(2y)): right for infinities and NaN, too.
        TENON_UNROLL
        for (int i = 0; i < n; i++) {
            x[i] = p.softcap_log2 * (1.0f - 2.0f * reciprocal_fast(1.0f + exp2_fast(x[i] * p.softcap_scale)));
        }
    }
}

template <class T>
TENON_DEVICE float masked_score(float score, T mask) {
    if constexpr (__is_same(T, uint8_t)) {
        return mask ? score : minus_infinity();
    } else {
        // Models hide keys with the lowest float, too. It must not become -infinity: a row that hides all keys that
        // way weighs them alike.
        float m = to_float(mask);
        if (m < -2.35e38f && m > minus_infinity()) m = -2.35e38f;
        return fmaf(m, kLog2E, score);
    }
}

// Calls body with a null pointer to the mask's element type, where there is a mask.
template <class T, class Body>
TENON_DEVICE void with_mask(const AttentionParams& p, Body body) {
    if (!p.mask.data) return;
    if (p.mask_type == TENON_CUDA_BOOL) {
        body(static_cast<const uint8_t*>(nullptr));
    } else if (__is_same(T, float) || p.mask_type == TENON_CUDA_F32) {
        body(static_cast<const float*>(nullptr));
    } else {
        body(static_cast<const T*>(nullptr));
    }
}

}  // namespace tenon::cuda
