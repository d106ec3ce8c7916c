// What the launcher hands to the Hopper kernels, and their tiles' sizes.
#pragma once
#include "attention/attention_params.h"
#include "common/bulk_copy.cuh"

namespace tenon::cuda {

struct AttentionSm90Params {
    TensorMap q, k, v;
    AttentionParams p;
    uint32_t blocks;  // pieces of work: tiles of queries of all heads
};

// The tile that a block works on: `consumers` warpgroups of 64 queries each, and one that copies; `keys` keys at a
// time. Tiles of k and v pass through rings of `stages` buffers each. Shared memory: q, k's ring, v's ring, barriers;
// one block to a multiprocessor.
struct AttentionSm90Tile {
    int head, consumers, keys, stages;
    int consumer_registers, producer_registers;
    bool take_turns;  // consumers issue their products one after the other
    int rows = consumers * 64;
    int threads = (consumers + 1) * 128;
    int q_bytes = rows * head * 2;
    int kv_bytes = keys * head * 2;
    int barriers = 4 * stages + 2;
    int shared_bytes = q_bytes + 2 * stages * kv_bytes + barriers * 8;
};

// Registers of a consumer: keys / 2 scores + head / 2 sums + keys / 4 weights, and what addresses and maxima take. All
// threads together have 65536.
constexpr AttentionSm90Tile attention_sm90_tile(int head) {
    return head == 64    ? AttentionSm90Tile{64, 2, 128, 4, 240, 24, true}
           : head == 128 ? AttentionSm90Tile{128, 2, 128, 3, 240, 24, true}
                         : AttentionSm90Tile{256, 2, 80, 2, 240, 24, false};
}
template <int head>
constexpr AttentionSm90Tile kAttentionSm90Tile = attention_sm90_tile(head);

}  // namespace tenon::cuda
