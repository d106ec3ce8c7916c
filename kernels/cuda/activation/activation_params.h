// What the launcher hands to the kernels.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

// A warp takes a tile: kActivationItems accesses of each lane, one after another in a row. The warps of a block are
// 2^warps_across_log2 tiles of a row times as many rows as warps are left.
constexpr int kActivationWarps = 8;
constexpr int kActivationItems = 4;

struct ActivationParams {
    const void* x;
    const void* bias;
    const void* up;
    const void* up_bias;
    void* y;
    int64_t rows, columns;
    int64_t x_stride, up_stride, y_stride;
    float inverse_y_scale;
    int32_t kind, y_type;
    int32_t warps_across_log2;
    uint32_t blocks_across;
};

}  // namespace tenon::cuda
