// Sums and maxima over the lanes of a warp and the threads of a block.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

struct Sum {
    static TENON_DEVICE float identity() { return 0.0f; }
    static TENON_DEVICE float combine(float a, float b) { return a + b; }
};
// NaN wins, as in ONNX and PyTorch.
struct Max {
    static TENON_DEVICE float identity() { return float_of(0xff800000u); }
    static TENON_DEVICE float combine(float a, float b) {
#if defined(TENON_ON_GPU)
        float r;
        asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
        return r;
#else
        return a != a || a > b ? a : b;
#endif
    }
};
struct Min {
    static TENON_DEVICE float identity() { return float_of(0x7f800000u); }
    static TENON_DEVICE float combine(float a, float b) {
#if defined(TENON_ON_GPU)
        float r;
        asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
        return r;
#else
        return a != a || a < b ? a : b;
#endif
    }
};
struct Product {
    static TENON_DEVICE float identity() { return 1.0f; }
    static TENON_DEVICE float combine(float a, float b) { return a * b; }
};

// Over groups of `width` lanes (a power of two up to 32); every lane of the warp takes part and gets its group's
// result.
template <class Op, int width = kWarp>
TENON_DEVICE float warp_reduce(float x) {
    TENON_UNROLL
    for (int offset = width / 2; offset > 0; offset /= 2) {
        x = Op::combine(x, __shfl_xor_sync(kAllLanes, x, offset));
    }
    return x;
}

// Over the block; every thread takes part and gets the result. The block has `threads` threads, a multiple of 32; 0: as
// many as were launched. The caller passes shared memory for threads / 32 floats, which may be used again at once:
// there is a barrier before the first write.
template <class Op, int threads = 0>
TENON_DEVICE float block_reduce(float x, float* shared) {
    const int warps = (threads ? threads : static_cast<int>(blockDim.x)) / kWarp;
    x = warp_reduce<Op>(x);
    if (warps == 1) return x;
    __syncthreads();
    if (lane_id() == 0) shared[warp_id()] = x;
    __syncthreads();
    x = lane_id() < warps ? shared[lane_id()] : Op::identity();
    return warp_reduce<Op>(x);
}

}  // namespace tenon::cuda
