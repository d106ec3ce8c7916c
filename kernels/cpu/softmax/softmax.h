// Softmax and log-softmax of f32.
#ifndef TENON_KERNELS_CPU_SOFTMAX_SOFTMAX_H
#define TENON_KERNELS_CPU_SOFTMAX_SOFTMAX_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

// v[r, i] = scale * x[r, i] + mask[row(r), i];  y = softmax(v) or log_softmax(v) over i. Rows are dense.
// The largest v is subtracted first, so large values do not overflow; a row of -inf only, or with a NaN or +inf, gives
// NaN (log: also). row(r) starts at mask + r / (mask_repeat * mask_rows) * mask_batch_stride + r % mask_rows *
// mask_row_stride: scores [B, H, S, T] with a mask [B, 1, S, T] have mask_rows S, mask_repeat H, mask_row_stride T,
// mask_batch_stride S * T. y may be x.
struct SoftmaxParams {
    const float* x;
    float* y;
    int64_t cols;
    float scale;  // 1: none
    bool log;
    const float* mask;  // null: none, and the fields below are not read
    int64_t mask_rows;
    int64_t mask_repeat;
    int64_t mask_row_stride;    // elements
    int64_t mask_batch_stride;  // elements
};

// x, y [outer, axis, inner], over the middle one, without scale or mask. A lane is one (outer, inner) pair,
// lane = o * inner + i. y may be x.
struct SoftmaxAxisParams {
    const float* x;
    float* y;
    int64_t axis;
    int64_t inner;
    bool log;
};

struct SoftmaxKernels {
    Isa isa;
    void (*rows)(const SoftmaxParams& params, int64_t row_begin, int64_t row_end);
    void (*axis)(const SoftmaxAxisParams& params, int64_t lane_begin, int64_t lane_end);
};

#define TENON_KERNEL(isa, name)       \
    namespace isa {                   \
    extern const SoftmaxKernels name; \
    }
#include "softmax.inc"
#undef TENON_KERNEL

const SoftmaxKernels& select_softmax(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
