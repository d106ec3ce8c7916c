// What the launcher hands to the kernels.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

// Threads of a block, and the heads that a thread takes: their loads are in flight together and share cos and sin.
constexpr int kRotaryThreads = 256;
constexpr int kRotaryHeads = 4;

struct RotaryTensor {
    const void* x;
    void* y;
    int64_t batch_stride, sequence_stride, head_stride;        // of x
    int64_t y_batch_stride, y_sequence_stride, y_head_stride;  // of y
    int64_t heads;
};

struct RotaryParams {
    RotaryTensor tensors[2];  // q, k
    const void* cos;
    const void* sin;
    const void* positions;
    int64_t table_stride, max_position, position_offset, position_batch_step;
    // A thread's work: a unit of kRotaryHeads heads of a token. Units 0 to rotary_units - 1 rotate N pairs, the others
    // copy N elements.
    uint32_t work;          // threads that have some
    uint32_t token_work;    // of them, for one token
    uint32_t units;         // of a head
    uint32_t rotary_units;  // of them, those that rotate
    uint32_t q_groups;      // of kRotaryHeads heads
    uint32_t sequence;
    int32_t rotary;
    int32_t interleaved;
    int32_t table_f32;       // else the type of x
    int32_t wide_positions;  // int64, else int32
};

}  // namespace tenon::cuda
