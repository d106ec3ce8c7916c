#include "softmax/softmax.cuh"

using namespace tenon::cuda;

// lanes8, warp, block: a row in the registers of 8 lanes, a warp, a block. long: a row to a block. sums and split: a
// row to several blocks. columns: inner > 1, one or four columns to a thread.
#define TENON_SOFTMAX_LANES(kernel, T, lanes)                                               \
    TENON_KERNEL(kernel, SoftmaxParams, kSoftmaxThreads, 3) {                               \
        int thread = static_cast<int>(threadIdx.x);                                         \
        int64_t row = int64_t{blockIdx.x} * (kSoftmaxThreads / (lanes)) + thread / (lanes); \
        softmax_row<T, (lanes)>(p, row, thread % (lanes), nullptr);                         \
    }
#define TENON_SOFTMAX_COLUMNS(kernel, T, N)                                     \
    TENON_KERNEL(kernel, SoftmaxParams, kSoftmaxThreads, 2) {                   \
        TENON_SHARED(SoftmaxSum<Exponential<T>>, shared, [kSoftmaxThreads][N]); \
        softmax_columns<T, N>(p, shared);                                       \
    }
#define TENON_SOFTMAX_BLOCK(kernel, threads, blocks, body) \
    TENON_KERNEL(kernel, SoftmaxParams, threads, blocks) { \
        TENON_SHARED(float, shared, [(threads) / kWarp]);  \
        body;                                              \
    }
#define TENON_SOFTMAX(name, T)                                                                                   \
    TENON_SOFTMAX_LANES(tenon_softmax_lanes8_##name, T, 8)                                                       \
    TENON_SOFTMAX_LANES(tenon_softmax_warp_##name, T, kWarp)                                                     \
    TENON_SOFTMAX_BLOCK(tenon_softmax_block_##name, kSoftmaxThreads, sizeof(T) == 4 ? 2 : 3,                     \
                        (softmax_row<T, kSoftmaxThreads>(p, blockIdx.x, static_cast<int>(threadIdx.x), shared))) \
    TENON_SOFTMAX_BLOCK(tenon_softmax_long_##name, kSoftmaxLongThreads, 2, softmax_long<T>(p, shared))           \
    TENON_SOFTMAX_BLOCK(tenon_softmax_sums_##name, kSoftmaxLongThreads, 2, (softmax_split<T, false>(p, shared))) \
    TENON_SOFTMAX_BLOCK(tenon_softmax_split_##name, kSoftmaxLongThreads, 2, (softmax_split<T, true>(p, shared))) \
    TENON_SOFTMAX_COLUMNS(tenon_softmax_columns_##name, T, 1)                                                    \
    TENON_SOFTMAX_COLUMNS(tenon_softmax_columns4_##name, T, 4)

TENON_SOFTMAX(f32, float)
TENON_SOFTMAX(f16, f16)
TENON_SOFTMAX(bf16, bf16)
