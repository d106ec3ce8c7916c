// What the launchers hand to the kernels.
#pragma once
#include "common/strided.h"

namespace tenon::cuda {

constexpr int kQuantizeThreads = 256;
// Elements of a vector, and vectors (or, at any alignment, bytes of the quantized side) for each thread: 64 bytes of
// the float side.
constexpr int kQuantizeVector = 8;
template <int float_bytes>
constexpr int kQuantizeItems = 8 / float_bytes;

struct QuantizeParams {
    const void* x;
    void* y;
    const void* scale;
    const void* zero;
    int64_t begin, end;  // elements; begin is a multiple of kQuantizeVector
    int64_t axis, inner, block;
    Divisor axis_divisor, inner_divisor, block_divisor;  // not set when wide
    int64_t outer_stride, axis_stride, inner_stride;     // between groups
    int32_t wide;                                        // 2^31 elements or more
    int32_t groups_vary;                                 // the elements of a vector have neighbouring groups, else one
    int32_t type;                                        // TENON_CUDA_* of the quantized side
    int32_t scale_is_float;                              // else of the float side's type
};

// 16-byte accesses that a thread keeps of its row.
constexpr int kQuantizeRowItems = 8;

struct QuantizeRowsParams {
    const void* x;
    void* y;
    float* row_scale;
    int64_t rows, columns, x_stride, y_stride;
    int32_t y_type;
};

struct RangeParams {
    const void* x;
    float* ranges;  // [blocks][2]
    float* scale;
    uint8_t* zero;
    int64_t n;
    int32_t blocks;
    int32_t vectors;
};

}  // namespace tenon::cuda
