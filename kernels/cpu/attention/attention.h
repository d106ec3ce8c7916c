// Scaled dot product attention, fused: the score matrix never exists in memory.
//
//   s[b,h,i,j] = softcap(scale * sum_d q[b,h,i,d] * k[b,h/g,j,d]) + mask[b,h,i,j]       softcap(x) = c * tanh(x / c)
//   o[b,h,i,e] = sum_j softmax_j(s[b,h,i,j]) * v[b,h/g,j,e]                              g = heads / kv_heads
//
// Keys and values come in one or two pieces (past and new): key j lies in piece 1 for j < kv_length, else in piece 2 at
// j - kv_length. Row i sees the keys j < kv_length + kv_length2 (and < kv_valid[b] if given) with bool_mask != 0 and,
// if causal, j <= i + offset.
//
//   Layout    arbitrary strides, in elements, for batch, head and position; the last axis is dense. A [B, S, H, D]
//             tensor is {S*H*D, D, H*D}. Nothing needs alignment; scratch is best 64-byte aligned.
//   Aliasing  o must not overlap any input.
//   Numerics  fp32, online softmax (Milakov & Gimelshein 2018; blocks as in Dao et al. 2022, algorithm 1).
//             The mask is added in fp32: the lowest float swallows the score, so a row masked with it altogether
//             weighs all keys alike, as models made for it expect.
//             A row that sees no key, or whose visible scores are all -infinity, is NaN as softmax gives it, or 0 with
//             zero_masked_rows. NaN spreads as in the formula (0 * NaN from a masked key included), except that keys
//             and values past kv_valid, or that no row of the item sees because of causal, never matter.
//   Threads   the functions neither allocate nor lock nor start threads. Work items are independent and may be run on
//             any thread, each with its own scratch.
//   Source    ONNX Attention-24.
#ifndef TENON_KERNELS_CPU_ATTENTION_ATTENTION_H
#define TENON_KERNELS_CPU_ATTENTION_ATTENTION_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

enum class AttentionCausal : int64_t {
    none = 0,
    fixed_offset = 1,  // j <= i + causal_offset
    valid_offset = 2,  // j <= i + kv_valid[b] - q_length
};

struct AttentionStrides {
    int64_t batch;
    int64_t head;
    int64_t position;
};

struct AttentionParams {
    int64_t batch;
    int64_t heads;     // multiple of kv_heads
    int64_t kv_heads;  // >= 1
    int64_t q_length;
    int64_t kv_length;   // piece 1; may be 0
    int64_t kv_length2;  // piece 2; may be 0
    int64_t head_size;   // of q and k, >= 1
    int64_t value_size;  // of v and o, >= 1

    const float* q;
    const float* k;
    const float* v;
    const float* k2;  // NULL allowed when kv_length2 is 0
    const float* v2;
    float* o;
    AttentionStrides q_strides;
    AttentionStrides k_strides;
    AttentionStrides v_strides;
    AttentionStrides k2_strides;
    AttentionStrides v2_strides;
    AttentionStrides o_strides;

    const float* mask;               // added to the scores, or NULL
    const unsigned char* bool_mask;  // 0: key not visible, or NULL; mask_strides serve both, so only one may be given
    AttentionStrides mask_strides;   // 0 broadcasts
    int64_t mask_key_stride;         // 1, or 0: one value for all keys
    const int64_t* kv_valid;         // [batch] visible keys, clamped to the lengths, or NULL: all

    AttentionCausal causal;
    int64_t causal_offset;
    double scale;
    double softcap;            // 0: none
    int64_t zero_masked_rows;  // 1: rows without any key are 0; 0: NaN
};

// NULL: can be computed; else why not.
const char* attention_unsupported(const AttentionParams& params);

struct AttentionPlan {
    Isa isa;
    void (*run)(const AttentionPlan& plan, const AttentionParams& params, float* scratch, int64_t first, int64_t last);
    int64_t items;          // independent work items; near equal work unless causal
    int64_t scratch_bytes;  // per thread
    int64_t block_rows;     // query rows of an item
    int64_t decode;         // 1: few rows, keys and values are streamed once
};

// Depends on the sizes in params, not on pointers and values: usable when a program is built. Uses the best instruction
// set of this processor not above max_isa.
AttentionPlan attention_plan(const AttentionParams& params, int64_t threads, Isa max_isa);

// Computes items first..last-1. scratch: plan.scratch_bytes, 64-byte aligned, not shared with a concurrent call.
inline void attention_run(const AttentionPlan& plan, const AttentionParams& params, float* scratch, int64_t first,
                          int64_t last) {
    plan.run(plan, params, scratch, first, last);
}

}  // namespace tenon::cpu
#endif
