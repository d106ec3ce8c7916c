#pragma once
#include "common/strided.cuh"
#include "transpose/transpose_params.h"

namespace tenon::cuda {

template <int unit_bytes>
TENON_DEVICE void gather(const GatherParams& p) {
    using U = Unit<unit_bytes>;
    auto positions = [&](auto& i, auto& at) {
        TENON_UNROLL
        for (int item = 0; item < kGatherItems; item++) at[item] = 0;
        for_coordinates(p.walk, i, [&](int item, int k, int64_t c) { at[item] += c * p.walk.axes[k].stride; });
    };
    const U* x = static_cast<const U*>(p.x);
    U* y = static_cast<U*>(p.y);
    if (p.walk.wide) {
        gather_units<int64_t, kGatherItems, kGatherThreads>(x, y, p.n, U{}, positions);
    } else {
        gather_units<uint32_t, kGatherItems, kGatherThreads>(x, y, p.n, U{}, positions);
    }
}

// The tile of this block: its first elements and how many rows and columns of the plane lie from there on.
template <class T>
struct Tile {
    const T* x;
    T* y;
    int64_t rows, columns;
};

template <class T>
TENON_DEVICE Tile<T> find_tile(const TileParams& p) {
    constexpr int e = sizeof(T);
    uint32_t column_tile[1] = {divide(blockIdx.x, p.row_tiles)};
    uint32_t row_tile = blockIdx.x - column_tile[0] * p.row_tiles.divisor;
    uint32_t plane[1] = {divide(column_tile[0], p.column_tiles)};
    int64_t row = int64_t{row_tile} * TileShape<e>::rows;
    int64_t column = int64_t{column_tile[0] - plane[0] * p.column_tiles.divisor} * TileShape<e>::columns;
    int64_t from = row * p.x_stride + column, to = column * p.y_stride + row;
    for_coordinates(p.planes, plane, [&](int, int k, int64_t c) {
        from += c * p.planes.axes[k].stride;
        to += c * p.y_strides[k];
    });
    return {static_cast<const T*>(p.x) + from, static_cast<T*>(p.y) + to, p.rows - row, p.columns - column};
}

// 16-byte accesses on both sides. The tile lies in shared memory as panels of 128-byte rows (all 32 banks), each of
// eight 16-byte chunks; chunk q of row r is kept at place q ^ (r / V) % 8, V the elements of a chunk. A quarter-warp
// writes the eight chunks of one row: eight different places. A warp then reads, for one k, the elements
// (j * V + k, c) of eight j and of the 4 neighbours c that lie in one chunk (or in half of one, or two of its elements
// for half a warp): eight different places, at each of them different words or the same one. No conflict in either.
template <class T>
TENON_DEVICE void transpose_tile(const TileParams& p, unsigned char* shared) {
    constexpr int e = sizeof(T), V = 16 / e, rows = TileShape<e>::rows, columns = TileShape<e>::columns,
                  threads = TileShape<e>::threads;
    constexpr int items = 4, row_chunks = columns / V, column_chunks = rows / V;
    const Tile<T> tile = find_tile<T>(p);
    const int thread = static_cast<int>(threadIdx.x);
    auto place = [](int r, int q, int group) { return ((q / 8 * rows + r) * 8 + (q % 8 ^ group % 8)) * 16; };

    Unit16 chunks[items];
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        int i = item * threads + thread, r = i / row_chunks, q = i % row_chunks;
        if (r < tile.rows && q * V < tile.columns) {
            chunks[item] = *reinterpret_cast<const Unit16*>(tile.x + r * p.x_stride + q * V);
        }
    }
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        int i = item * threads + thread, r = i / row_chunks, q = i % row_chunks;
        if (r < tile.rows && q * V < tile.columns) {
            *reinterpret_cast<Unit16*>(shared + place(r, q, r / V)) = chunks[item];
        }
    }
    __syncthreads();
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        // A warp covers eight chunks along y's rows in four of them.
        int piece = item * (threads / kWarp) + warp_id();
        int j = piece % (column_chunks / 8) * 8 + lane_id() % 8, c = piece / (column_chunks / 8) * 4 + lane_id() / 8;
        if (c >= tile.columns || j * V >= tile.rows) continue;
        struct alignas(16) {
            T v[V];
        } run;
        TENON_UNROLL
        for (int k = 0; k < V; k++) {
            run.v[k] = *reinterpret_cast<const T*>(shared + place(j * V + k, c / V, j) + c % V * e);
        }
        *reinterpret_cast<decltype(run)*>(tile.y + c * p.y_stride + j * V) = run;
    }
}

// Any alignment: accesses of W bytes (4, or one element) on either side. Rows lie in shared memory with one more word
// (8-byte elements: two), so that neighbours in a column lie in neighbouring banks.
template <class T>
constexpr int kPaddedRow = 128 + (sizeof(T) > 4 ? sizeof(T) : 4);

template <class T, int W>
TENON_DEVICE void read_tile(const TileParams& p, const Tile<T>& tile, int first_column, unsigned char* shared) {
    constexpr int e = sizeof(T), accesses = 128 / W;  // of a row
    constexpr int all = TileShape<e>::rows * accesses / TileShape<e>::threads, batch = all < 8 ? all : 8;
    static_assert(all % batch == 0);
    for (int done = 0; done < all; done += batch) {
        Unit<W> values[batch] = {};
        TENON_UNROLL
        for (int item = 0; item < batch; item++) {
            int i = (done + item) * TileShape<e>::threads + static_cast<int>(threadIdx.x);
            int r = i / accesses, c = first_column + i % accesses * (W / e);
            if (r < tile.rows && c < tile.columns) {
                values[item] = *reinterpret_cast<const Unit<W>*>(tile.x + r * p.x_stride + c);
            }
        }
        TENON_UNROLL
        for (int item = 0; item < batch; item++) {
            int i = (done + item) * TileShape<e>::threads + static_cast<int>(threadIdx.x);
            *reinterpret_cast<Unit<W>*>(shared + i / accesses * kPaddedRow<T> + i % accesses * W) = values[item];
        }
    }
}

// A warp stores 32 rows of m columns, m = W / e: groups of 32 / m lanes lie along a column, and neighbouring groups
// 4 / e columns, one word, apart: the lanes of a read fall into 32 different banks (8-byte elements: 16 in half a
// warp).
template <class T, int W>
TENON_DEVICE void write_tile(const TileParams& p, const Tile<T>& tile, int first_column, const unsigned char* shared) {
    constexpr int e = sizeof(T), m = W / e, group = kWarp / m, warps = TileShape<e>::threads / kWarp;
    constexpr int row_groups = TileShape<e>::rows / kWarp, pieces = row_groups * (128 / e) / m;
    static_assert(pieces % (4 * warps) == 0 && (m == 1 || m == 4 / e));
    for (int done = 0; done < pieces; done += 4 * warps) {
        TENON_UNROLL
        for (int item = 0; item < 4; item++) {
            int piece = done + item * warps + warp_id(), column = piece / row_groups;
            int c = column / m * m * m + lane_id() / group * m + column % m;
            int r = piece % row_groups * kWarp + lane_id() % group * m;
            if (first_column + c >= tile.columns || r >= tile.rows) continue;
            struct alignas(W) {
                T v[m];
            } run;
            TENON_UNROLL
            for (int k = 0; k < m; k++) {
                run.v[k] = *reinterpret_cast<const T*>(shared + (r + k) * kPaddedRow<T> + c * e);
            }
            *reinterpret_cast<decltype(run)*>(tile.y + (first_column + c) * p.y_stride + r) = run;
        }
    }
}

template <class T>
TENON_DEVICE void transpose_tile_any(const TileParams& p, unsigned char* shared) {
    constexpr int e = sizeof(T);
    const Tile<T> tile = find_tile<T>(p);
    for (int column = 0; column < TileShape<e>::columns; column += 128 / e) {
        if (column > 0) __syncthreads();
        if (e < 4 && p.x_access == 4) {
            read_tile < T, e<4 ? 4 : e>(p, tile, column, shared);
        } else {
            read_tile<T, e>(p, tile, column, shared);
        }
        __syncthreads();
        if (e < 4 && p.y_access == 4) {
            write_tile < T, e<4 ? 4 : e>(p, tile, column, shared);
        } else {
            write_tile<T, e>(p, tile, column, shared);
        }
    }
}

}  // namespace tenon::cuda
