// What every kernel source includes first. Compiled by nvcc (or NVRTC) it is CUDA; compiled by a host compiler, the
// SIMT shim runs the same source on the CPU.
#pragma once

#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#define TENON_ON_GPU 1
#if !defined(__CUDACC_RTC__)
#include <cstdint>
#else
using int8_t = signed char;
using uint8_t = unsigned char;
using int16_t = short;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
using uintptr_t = unsigned long long;
#endif

// Defines the kernel `name`, which takes one Params by value as `p`, for blocks of at most `threads` threads, at least
// `blocks` of them on a multiprocessor (which caps the registers).
#define TENON_KERNEL(name, Params, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Params p)
// Shared memory of a fixed size, and the launch's dynamic shared memory, aligned to 1024 bytes when the kernel has no
// other shared memory (what 128-byte swizzles want).
#define TENON_SHARED(type, name, dimensions) __shared__ __align__(16) type name dimensions
#define TENON_DYNAMIC_SHARED(name) extern __shared__ __align__(1024) unsigned char name[]
#define TENON_DEVICE __device__ __forceinline__
#define TENON_UNROLL _Pragma("unroll")
#define TENON_NO_UNROLL _Pragma("unroll 1")
#else
#include "simt/simt.h"
#define TENON_DEVICE inline
#define TENON_UNROLL
#define TENON_NO_UNROLL
#endif

namespace tenon::cuda {

constexpr int kWarp = 32;
constexpr uint32_t kAllLanes = 0xffffffffu;

TENON_DEVICE int lane_id() {
    return static_cast<int>(threadIdx.x) % kWarp;
}
TENON_DEVICE int warp_id() {
    return static_cast<int>(threadIdx.x) / kWarp;
}

}  // namespace tenon::cuda
