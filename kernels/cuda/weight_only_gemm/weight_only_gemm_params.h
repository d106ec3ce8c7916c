// What the launcher hands to the kernels, and their tiles.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

constexpr int kWeightOnlyThreads = 256;
constexpr int kWeightOnlyWarps = kWeightOnlyThreads / 32;

// A block of eight warps makes y for `rows` rows of weights and up to `columns` rows of x. A warp holds row_tiles tiles
// of 16 rows; row_warps warps divide the rows, k_warps divide k. In a pipeline stage each of the k_warps has
// warp_pieces 16-byte pieces of every row, so that few rows still read long stretches of memory.
struct WeightOnlyTile {
    int columns, row_tiles, row_warps, warp_pieces, stages;
    int blocks;  // at least that many on a multiprocessor
    int rows, k_warps;
    int pieces, weight_bytes;  // of a stage: 16-byte pieces of a row of weights, all weights
    int sum_stride;            // of partial sums: a multiple of 4 but not of 8, against bank conflicts
    int x_row_bytes[2];  // between rows of x in a stage, for 4 and 8 bits: odd multiples of 64, for the same reason
};

constexpr WeightOnlyTile weight_only_tile(int columns, int row_tiles, int row_warps, int warp_pieces, int stages,
                                          int blocks) {
    int rows = 16 * row_tiles * row_warps, k_warps = kWeightOnlyWarps / row_warps, pieces = warp_pieces * k_warps;
    return {columns, row_tiles, row_warps, warp_pieces,        stages,   blocks,
            rows,    k_warps,   pieces,    rows * pieces * 16, rows + 4, {64 * pieces + 64, 32 * pieces + 64}};
}

// More columns need more rows: every block reads its rows of x, 2 bytes an element, from L2.
constexpr WeightOnlyTile kWeightOnlyTiles[] = {weight_only_tile(8, 1, 1, 8, 3, 3), weight_only_tile(16, 2, 1, 4, 3, 2),
                                               weight_only_tile(32, 2, 2, 4, 3, 1),
                                               weight_only_tile(64, 2, 4, 4, 3, 1)};

struct WeightOnlyParams {
    const void* x;
    const void* weight;
    const void* scale;
    const void* zero;
    const void* bias;
    void* y;
    int64_t m, n, x_stride, y_stride, weight_stride_bytes;
    int32_t k, groups, group;
    int32_t group_shift, group_mask;  // group = 2^group_shift = group_mask + 1; 31 when there is one group (not `any`)
    int32_t columns;                  // rows of x for a block
    int32_t column_tiles;             // ceil(m / columns)
    uint32_t flip;                    // 0x88888888 for I4, 0x80808080 for I8: makes weights unsigned; otherwise 0
};

}  // namespace tenon::cuda
