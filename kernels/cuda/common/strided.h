// Index arithmetic that launchers prepare and kernels use: division by numbers known to the launcher, and the walk
// through a strided array in the order of a dense one. strided.cuh has the kernels' half.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

// n / divisor for 0 <= n < 2^31 is n * multiplier >> shift, in 64 bits. shift is 31 + ceil(log2 divisor) and multiplier
// is 2^shift / divisor rounded up: the product exceeds n / divisor * 2^shift by less than n < 2^31 <= 2^shift /
// divisor.
struct Divisor {
    uint32_t divisor;
    uint32_t multiplier;
    uint32_t shift;
};

// divisor is 1 to 2^31 - 1.
inline Divisor make_divisor(int64_t divisor) {
    uint32_t shift = 31;
    while (int64_t{1} << (shift - 31) < divisor) shift++;
    uint64_t power = uint64_t{1} << shift, d = static_cast<uint64_t>(divisor);
    return {static_cast<uint32_t>(d), static_cast<uint32_t>((power + d - 1) / d), shift};
}

constexpr int kMaxRank = 8;

// An axis that the walk crosses, outermost first; the strides count whatever the kernel counts in.
struct WalkAxis {
    int64_t size;
    int64_t stride;
    Divisor divisor;  // of size; not set when the walk is wide
};

struct Walk {
    int32_t rank;
    int32_t wide;  // 2^31 elements or more: 64-bit divisions
    WalkAxis axes[kMaxRank];
};

// dims and strides, outermost first; no dimension is 0.
inline Walk make_walk(int rank, const int64_t* dims, const int64_t* strides) {
    Walk walk{};
    walk.rank = rank;
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    walk.wide = n > INT32_MAX;
    for (int i = 0; i < rank; i++) {
        walk.axes[i] = {dims[i], strides[i], {}};
        if (!walk.wide) walk.axes[i].divisor = make_divisor(dims[i]);
    }
    return walk;
}

}  // namespace tenon::cuda
