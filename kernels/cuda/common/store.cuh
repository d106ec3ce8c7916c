// Results of fp32 arithmetic into a tensor whose type is known at run time.
#pragma once
#include "common/plan.h"
#include "common/vector.cuh"

namespace tenon::cuda {

// Stores N results at y[at], y[at + 1] ...: rounded to y_type, which is T, or F8E4M3 or I8: then times inverse_scale
// first.
template <class T, int N>
TENON_DEVICE void store_as(void* y, int32_t y_type, int64_t at, const float (&n)[N], float inverse_scale) {
    if (y_type == TENON_CUDA_I8 || y_type == TENON_CUDA_F8E4M3) {
        float scaled[N];
        TENON_UNROLL
        for (int k = 0; k < N; k++) scaled[k] = n[k] * inverse_scale;
        if (y_type == TENON_CUDA_I8) {
            store(static_cast<int8_t*>(y) + at, from_floats<int8_t>(scaled));
        } else {
            store(static_cast<f8e4m3*>(y) + at, from_floats<f8e4m3>(scaled));
        }
    } else {
        store_words<N>(static_cast<T*>(y) + at, words_from_floats<T>(n));
    }
}

// The scale of a quantized row (I8 or F8E4M3) by its largest magnitude; 1 for zeros. No less than 2^-126: the inverse
// of a number below may be infinite.
TENON_DEVICE float scale_of_row(float largest, int32_t y_type) {
    const float q = largest / (y_type == TENON_CUDA_I8 ? 127.0f : 448.0f);
    return largest == 0.0f ? 1.0f : q < 0x1p-126f ? 0x1p-126f : q;
}

}  // namespace tenon::cuda
