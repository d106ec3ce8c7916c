// The variants of attention_run_items, one namespace per instruction set, and what they share with attention_plan.
#ifndef TENON_KERNELS_CPU_ATTENTION_ATTENTION_VARIANTS_H
#define TENON_KERNELS_CPU_ATTENTION_ATTENTION_VARIANTS_H

#include "attention.h"

namespace tenon::cpu {

// Keys handled between two corrections of the running maximum.
constexpr int64_t kAttentionBlockKeys = 256;
constexpr int64_t kAttentionTileRows = 14;  // at most, of all instruction sets

// Where things lie in a thread's scratch, in floats; every offset is a multiple of 16.
struct AttentionScratch {
    int64_t queries;  // [row tile][head block][row][16], scaled
    int64_t keys;     // prefill: panels [32 keys][d][32]; decode: [row][16 keys][16] partial sums
    int64_t values;   // panels [32 columns][key][32]
    int64_t scores;   // [key block][row][16] of one row tile
    int64_t outputs;  // [row tile][value block][row][16]
    int64_t sums;     // [row][16]
    int64_t maxima;   // [row]
    int64_t end;
};

// Always inlined: a copy compiled for a wide instruction set must not serve callers on older processors.
[[gnu::always_inline]] inline AttentionScratch attention_scratch(int64_t rows, int64_t head_size, int64_t value_size) {
    const int64_t head = (head_size + 15) / 16 * 16, value = (value_size + 15) / 16 * 16;
    const int64_t panel = kAttentionBlockKeys * head_size, partial = kAttentionTileRows * 256;
    AttentionScratch s{};
    s.keys = s.queries + rows * head;
    s.values = s.keys + (panel > partial ? panel : partial);
    s.scores = s.values + kAttentionBlockKeys * value;
    s.outputs = s.scores + kAttentionBlockKeys * kAttentionTileRows;
    s.sums = s.outputs + rows * value;
    s.maxima = s.sums + rows * 16;
    s.end = s.maxima + (rows + 15) / 16 * 16;
    return s;
}

}  // namespace tenon::cpu

#define TENON_KERNEL(isa)                                                                                             \
    namespace tenon::cpu::isa {                                                                                       \
    void attention_run_items(const AttentionPlan& plan, const AttentionParams& params, float* scratch, int64_t first, \
                             int64_t last);                                                                           \
    }
#include "attention.inc"

#endif
