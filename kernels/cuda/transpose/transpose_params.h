// What the launcher hands to the kernels.
#pragma once
#include "common/strided.h"

namespace tenon::cuda {

// Gather: threads of a block and units that each moves.
constexpr int kGatherThreads = 256;
constexpr int kGatherItems = 4;

struct GatherParams {
    const void* x;
    void* y;
    int64_t n;  // units
    Walk walk;  // y's axes with x's strides, in units
};

// Tiles. A row of a tile is a run of x, a column a run of y; a tile row holds 128 bytes (or two times 128, so that
// tiles of 8-byte elements are large enough). Each thread moves 64 bytes.
template <int element_bytes>
struct TileShape {
    static constexpr int rows = element_bytes == 1 ? 128 : element_bytes == 8 ? 32 : 64;
    static constexpr int columns = element_bytes == 8 ? 32 : 128 / element_bytes;
    static constexpr int threads = rows * columns * element_bytes / 64;
};

// The plane: y[c * y_stride + r] = x[r * x_stride + c] for r < rows, c < columns; strides in elements.
struct TileParams {
    const void* x;
    void* y;
    int64_t rows, columns;
    int64_t x_stride, y_stride;
    Divisor row_tiles, column_tiles;  // a tile's number is (plane * column_tiles + column tile) * row_tiles + row tile
    int32_t x_access, y_access;       // bytes that the kernel for any alignment moves at once on either side: 4 or one
                                      // element
    Walk planes;                      // the other axes, with x's strides
    int64_t y_strides[kMaxRank];      // of the same axes
};

}  // namespace tenon::cuda
