// What the launcher hands to the kernels that load their own tiles (mma and plain).
#pragma once
#include <stdint.h>

#include "attention/attention.h"
#include "common/planner.h"

namespace tenon::cuda {

struct AttentionTensor {
    const void* data;
    int64_t batch_stride, head_stride, row_stride;  // elements
};

struct AttentionParams {
    AttentionTensor q, k, v, mask, o;  // mask.data may be null
    const int32_t* kv_lengths;
    float* lse;
    int32_t heads, group;  // group: query heads of one kv head
    int32_t queries, keys;
    int32_t head_size, value_size;
    int32_t mask_type;
    int32_t causal, causal_offset, window;
    int32_t vectors;        // q, k, v, o allow 16-byte accesses
    int32_t query_tiles;    // of one head
    int32_t section_heads;  // see attention_work
    int32_t all_heads;      // batch * heads
    float scale_log2;       // scale * log2(e)
    float softcap_log2;     // c * log2(e); 0: none
};

// Whether this family has a Hopper kernel for the case; if so, adds its launch. args have been checked and there is
// something to compute. In attention_sm90.cpp.
bool plan_attention_sm90(const tenon_cuda_attention& args, const tenon_cuda_device& device, Planner& planner);

}  // namespace tenon::cuda
