// What the launcher hands to the kernels, and what both must agree on.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

constexpr int kDecodeThreads = 128;
constexpr int kDecodeWarps = kDecodeThreads / 32;
constexpr int kCombineWarps = 8;
constexpr int kMaxHeadSize = 256;
// Splits begin at multiples of this many keys from the first key that a sequence's rows see.
constexpr int kSplitKeys = 32;

struct DecodeAttentionParams {
    const void* q;
    const void* k;
    const void* v;
    void* o;
    float* lse;
    const int32_t* lengths;
    const int32_t* block_table;
    const float* k_scale;
    const float* v_scale;
    float* partial;        // [batch, splits, rows, heads, head_size]: weighted sums of v, when splits > 1
    float* partial_state;  // [batch, splits, rows, heads, 2]: largest logit (times log2 e) and sum of weights
    int64_t q_batch_stride, q_row_stride, q_head_stride;
    int64_t o_batch_stride, o_row_stride, o_head_stride;
    int64_t k_page_stride, k_token_stride, k_head_stride;
    int64_t v_page_stride, v_token_stride, v_head_stride;
    int64_t table_stride;
    int32_t rows, group, kv_heads, head_size;
    int32_t type;  // of q and o: TENON_CUDA_*
    int32_t max_length;
    int32_t page_shift;     // log2 of the page size; 31 without a table
    int32_t window;         // INT32_MAX: all keys
    int32_t splits;         // at most, of each sequence
    int32_t min_split;      // keys; a multiple of kSplitKeys
    int32_t chunks;         // of the rows * group query rows of a KV head; each is a block's
    int32_t warps_per_row;  // of the combining kernel: 1 or kCombineWarps
    float scale, softcap;   // softcap 0: none
};

}  // namespace tenon::cuda
