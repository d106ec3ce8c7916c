// What the launcher hands to the kernels that load their own tiles (mma and plain), and the tiles' sizes.
#pragma once
#include <stdint.h>

#include "attention/attention.h"
#include "common/planner.h"

namespace tenon::cuda {

// Sizes, offsets and windows are limited to this.
constexpr int kAttentionLimit = 1 << 29;

struct AttentionTensor {
    const void* data;
    int64_t batch_stride, head_stride, row_stride;  // elements
};

struct AttentionParams {
    AttentionTensor q, k, v, o;
    AttentionTensor mask;  // strides in bytes; data may be null
    const int32_t* kv_lengths;
    float* lse;
    int32_t all_heads;  // batch * heads
    int32_t heads;
    int32_t group;  // query heads of one kv head
    int32_t queries, keys;
    int32_t head_size, value_size;
    int32_t mask_type, mask_bytes;
    int64_t mask_8_rows;  // bytes
    int32_t causal, causal_offset, window;
    int32_t vectors;        // q, k, v and o allow 16-byte accesses
    int32_t query_tiles;    // of one head
    int32_t section_heads;  // heads whose keys and values stay in L2 together: see attention_work
    int32_t adjust;         // scores need more than a product with a positive scale
    float scale_log2;       // scale * log2(e)
    float softcap_scale;    // 2 * log2(e) * scale / c
    float softcap_log2;     // c * log2(e); 0: none
};

// The tile that a block of the mma kernel works on: `warps` warps of 16 * row_tiles queries each, `keys` keys at a
// time. k and v tiles pass through a ring of `slots` buffers.
struct AttentionTile {
    int head, warps, row_tiles, keys, slots;
    bool q_in_registers;  // else q's fragments are loaded from shared memory for every tile of keys
    int rows = warps * 16 * row_tiles;
    int threads = warps * 32;
    // 16 bytes of padding make 8 rows of 16 bytes, as ldmatrix reads them, fall into different banks.
    int row_elements = head + 8;
    int shared_bytes = (rows + slots * keys) * row_elements * 2;
};

// A warp with 32 rows uses every fragment of k and v twice: with 16, shared memory (128 bytes a clock) would limit the
// kernel on sm_90. The sums take rows / 32 * head registers, the scores rows / 32 * keys: 32 rows of 192 do not fit.
// Shared memory stays below 80 KiB, so that two blocks share a multiprocessor of sm_80 (164 KiB) and one fits that of
// sm_120 (100 KiB). `small` doubles the number of blocks, for problems that do not fill the GPU.
constexpr AttentionTile attention_tile(int head, bool small) {
    return head == 64    ? AttentionTile{64, 4, small ? 1 : 2, 64, 3, true}
           : head == 96  ? AttentionTile{96, 4, small ? 1 : 2, 64, 3, small}
           : head == 128 ? AttentionTile{128, 4, small ? 1 : 2, 64, 2, small}
           : head == 192 ? AttentionTile{192, 4, 1, 64, 2, true}
                         : AttentionTile{256, 4, 1, 32, 2, false};
}
template <int head, bool small>
constexpr AttentionTile kAttentionTile = attention_tile(head, small);

// The plain kernel's tile: 256 threads as 16 x 16, each with rows / 16 rows by keys / 16 scores and head / 16 sums.
struct AttentionPlainTile {
    int head, rows, keys;
    int threads = 256;
    int row_elements = head + 4;  // as above
    int weight_elements = keys + 4;
    int shared_bytes = ((rows + 2 * keys) * row_elements + rows * weight_elements) * 4;
};
constexpr AttentionPlainTile attention_plain_tile(int head) {
    return head == 64    ? AttentionPlainTile{64, 64, 64}
           : head == 128 ? AttentionPlainTile{128, 64, 32}
                         : AttentionPlainTile{256, 32, 16};
}
template <int head>
constexpr AttentionPlainTile kAttentionPlainTile = attention_plain_tile(head);

// Divides the work into tiles of `rows` queries. False: more than 2^31 - 1 blocks.
bool divide_attention(AttentionParams& p, const tenon_cuda_attention& args, const tenon_cuda_device& device, int rows);

// Whether this family has a Hopper kernel for the case; if so, adds its launch. args have been checked and there is
// something to compute; p has everything but the division of the work. In attention_sm90.cpp.
bool plan_attention_sm90(const tenon_cuda_attention& args, const tenon_cuda_device& device, AttentionParams p,
                         Planner& planner);

}  // namespace tenon::cuda
