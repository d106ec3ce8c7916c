#pragma once
#include "common/strided.cuh"
#include "copy/copy.h"
#include "copy/copy_params.h"

namespace tenon::cuda {

// Where coordinate j of an axis of n elements comes from; -1 for the constant.
TENON_DEVICE int64_t source(int32_t mode, int64_t j, int64_t n) {
    if (j >= 0 && j < n) return j;
    if (mode == TENON_CUDA_COPY_CONSTANT) return -1;
    if (mode == TENON_CUDA_COPY_EDGE) return j < 0 ? 0 : n - 1;
    const int64_t period = mode == TENON_CUDA_COPY_WRAP ? n : n == 1 ? 1 : 2 * (n - 1);
    j %= period;
    if (j < 0) j += period;
    return j < n ? j : period - j;
}

template <int unit_bytes, bool pad>
TENON_DEVICE void copy_units(const CopyParams& p) {
    using U = Unit<unit_bytes>;
    auto positions = [&](auto& i, auto& at) {
        TENON_UNROLL
        for (int item = 0; item < kCopyItems; item++) at[item] = pad ? 0 : p.first;
        for_coordinates(p.walk, i, [&](int item, int k, int64_t c) {
            if constexpr (pad) {
                c = source(p.mode, p.starts[k] + c, p.sizes[k]);
                // Once outside, always outside: no position reaches up to 2^62.
                at[item] = c < 0 ? INT64_MIN / 2 : at[item] + c * p.walk.axes[k].stride;
            } else {
                at[item] += c * p.walk.axes[k].stride;
            }
        });
    };
    const U* x = static_cast<const U*>(p.x);
    U* y = static_cast<U*>(p.y);
    U value;
    if constexpr (unit_bytes == 16) {
        TENON_UNROLL
        for (int k = 0; k < 4; k++) value.words[k] = static_cast<uint32_t>(p.value >> k % 2 * 32);
    } else {
        value = static_cast<U>(p.value);
    }
    if (p.walk.wide) {
        gather_units<int64_t, kCopyItems, kCopyThreads>(x, y, p.n, value, positions);
    } else {
        gather_units<uint32_t, kCopyItems, kCopyThreads>(x, y, p.n, value, positions);
    }
}

// The units of one part in the part's order: row q of it begins at q whole rows.
template <class U, class Index>
TENON_DEVICE void copy_part(const ConcatParams& p, const ConcatPart& part, uint32_t block) {
    U* const dense = static_cast<U*>(part.part);
    U* const whole = reinterpret_cast<U*>(static_cast<unsigned char*>(p.whole) + part.whole_offset);
    const int64_t whole_row = p.whole_row_bytes / static_cast<int64_t>(sizeof(U));
    const Index row = sizeof(Index) == 4 ? static_cast<Index>(part.row.divisor) : static_cast<Index>(part.n / p.outer);
    const Index first = static_cast<Index>(block) * (kCopyThreads * kCopyItems) + static_cast<Index>(threadIdx.x);
    U values[kCopyItems];
    U* to[kCopyItems];
    TENON_UNROLL
    for (int item = 0; item < kCopyItems; item++) {
        const Index i = first + item * kCopyThreads;
        to[item] = nullptr;
        if (i >= static_cast<Index>(part.n)) continue;
        Index q;
        if constexpr (sizeof(Index) == 4) {
            q = divide(i, part.row);
        } else {
            q = i / row;
        }
        U* const there = whole + (static_cast<int64_t>(q) * whole_row + static_cast<int64_t>(i - q * row));
        U* const here = dense + i;
        to[item] = p.split ? here : there;
        const U* from = p.split ? there : here;
        values[item] = *from;
    }
    TENON_UNROLL
    for (int item = 0; item < kCopyItems; item++) {
        if (to[item]) *to[item] = values[item];
    }
}

template <class U>
TENON_DEVICE void copy_part(const ConcatParams& p, const ConcatPart& part, uint32_t block) {
    if (part.n > INT32_MAX) {
        copy_part<U, int64_t>(p, part, block);
    } else {
        copy_part<U, uint32_t>(p, part, block);
    }
}

// Each block copies from one part, in that part's unit.
TENON_DEVICE void concat(const ConcatParams& p) {
    int k = 0;
    TENON_UNROLL
    for (int i = 1; i < kConcatParts; i++) k += blockIdx.x >= p.parts[i].first_block;
    const ConcatPart& part = p.parts[k];
    const uint32_t block = blockIdx.x - part.first_block;
    switch (part.unit_bytes) {
        case 1:
            return copy_part<Unit<1>>(p, part, block);
        case 2:
            return copy_part<Unit<2>>(p, part, block);
        case 4:
            return copy_part<Unit<4>>(p, part, block);
        case 8:
            return copy_part<Unit<8>>(p, part, block);
        default:
            return copy_part<Unit<16>>(p, part, block);
    }
}

}  // namespace tenon::cuda
