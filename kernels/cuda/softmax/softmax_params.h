// What the launcher hands to the kernels.
#pragma once
#include "common/strided.h"

namespace tenon::cuda {

constexpr int kSoftmaxThreads = 256;
constexpr int kSoftmaxLongThreads = 512;
// Elements that one thread holds in registers.
constexpr int kSoftmaxItems = 32;

struct SoftmaxParams {
    const void* x;
    void* y;
    void* partial;  // SoftmaxSum [outer, splits], when splits > 1
    int64_t outer, axis, inner;
    float scale;
    int32_t log;
    int32_t y_f32;
    int32_t splits, accesses_per_split;
    int32_t width;  // inner > 1: lanes of a block along inner; a power of two
    Divisor tiles;  // inner > 1: blocks side by side along inner
};

}  // namespace tenon::cuda
