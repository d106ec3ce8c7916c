#pragma once
#include "common/kernel.cuh"
#include "common/strided.h"

namespace tenon::cuda {

TENON_DEVICE uint32_t divide(uint32_t n, const Divisor& d) {
    return static_cast<uint32_t>(static_cast<uint64_t>(n) * d.multiplier >> d.shift);
}

// Calls visit(item, axis, coordinate) for the coordinates of elements i[0] ... i[N - 1] of a dense array of the walk's
// sizes, from the innermost axis to the outermost. Index is uint32_t, or int64_t for wide walks.
template <int N, class Index, class Visit>
TENON_DEVICE void for_coordinates(const Walk& walk, Index (&i)[N], Visit visit) {
    for (int k = walk.rank - 1; k > 0; k--) {
        TENON_UNROLL
        for (int item = 0; item < N; item++) {
            Index q, size;
            if constexpr (sizeof(Index) == 4) {
                q = divide(i[item], walk.axes[k].divisor);
                size = walk.axes[k].divisor.divisor;
            } else {
                size = walk.axes[k].size;
                q = i[item] / size;
            }
            visit(item, k, static_cast<int64_t>(i[item] - q * size));
            i[item] = q;
        }
    }
    TENON_UNROLL
    for (int item = 0; item < N; item++) visit(item, 0, static_cast<int64_t>(i[item]));
}

// y[i] = x[position of i] for i < n, N units of Unit to a thread: the dense side in order, so that a warp's accesses to
// it are one run, and all loads of a thread before its stores. positions(i, at) finds where units i[0] ... i[N - 1]
// come from; a negative position stands for `otherwise`.
template <class Index, int N, int threads, class Unit, class Positions>
TENON_DEVICE void gather_units(const Unit* x, Unit* y, int64_t n, Unit otherwise, Positions positions) {
    const Index first = static_cast<Index>(blockIdx.x) * (threads * N) + static_cast<Index>(threadIdx.x);
    Index i[N];
    int64_t at[N];
    TENON_UNROLL
    for (int item = 0; item < N; item++) {
        // Units past the end are computed as the last one and not stored.
        Index k = first + item * threads;
        i[item] = k < static_cast<Index>(n) ? k : static_cast<Index>(n - 1);
    }
    positions(i, at);
    Unit values[N];
    TENON_UNROLL
    for (int item = 0; item < N; item++) {
        values[item] = otherwise;
        if (at[item] >= 0) values[item] = x[at[item]];
    }
    TENON_UNROLL
    for (int item = 0; item < N; item++) {
        Index k = first + item * threads;
        if (k < static_cast<Index>(n)) y[k] = values[item];
    }
}

// Whole units of 1, 2, 4, 8 or 16 bytes that move as one access.
struct alignas(16) Unit16 {
    uint32_t words[4];
};
template <int bytes>
struct UnitOf;
template <>
struct UnitOf<1> {
    using type = uint8_t;
};
template <>
struct UnitOf<2> {
    using type = uint16_t;
};
template <>
struct UnitOf<4> {
    using type = uint32_t;
};
template <>
struct UnitOf<8> {
    using type = uint64_t;
};
template <>
struct UnitOf<16> {
    using type = Unit16;
};
template <int bytes>
using Unit = typename UnitOf<bytes>::type;

}  // namespace tenon::cuda
