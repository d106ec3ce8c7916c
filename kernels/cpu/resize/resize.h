// Resizing of the last two axes by tables: nearest, linear, cubic and anti-aliased in every coordinate convention.
#ifndef TENON_KERNELS_CPU_RESIZE_RESIZE_H
#define TENON_KERNELS_CPU_RESIZE_RESIZE_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

// y[p, i, j] = sum_t sum_u h_weights[i * h_taps + t] * w_weights[j * w_taps + u] * x[p, h_indices[...],
// w_indices[...]]. f32, dense planes x [src_h, src_w] and y [dst_h, dst_w]. taps >= 1; weights null: 1 (nearest). No
// aliasing.
struct ResizeParams {
    const float* x;
    float* y;
    int64_t src_h, src_w, dst_h, dst_w;
    int64_t h_taps, w_taps;
    const int32_t* h_indices;  // [dst_h * h_taps], 0 <= index < src_h
    const int32_t* w_indices;  // [dst_w * w_taps], 0 <= index < src_w
    const float* h_weights;
    const float* w_weights;
};

struct ResizeKernels {
    Isa isa;
    // Computes output rows row_begin .. row_end-1, row = plane * dst_h + i.
    // scratch: src_w floats, of this thread.
    void (*run)(const ResizeParams& params, float* scratch, int64_t row_begin, int64_t row_end);
};

#define TENON_KERNEL(isa, name)      \
    namespace isa {                  \
    extern const ResizeKernels name; \
    }
#include "resize.inc"
#undef TENON_KERNEL

const ResizeKernels& select_resize(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
