// Helpers of the launchers: checks that end in a message, and filling in a launch. Host code, no CUDA.
#pragma once
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "common/plan.h"

namespace tenon::cuda {

// Collects a plan. Use:
//   Planner planner(plan);
//   if (args->rows < 0) return planner.invalid("rows is %lld; expected 0 or more", (long long)args->rows);
//   planner.launch("tenon_norm_layer_f32", grid, threads, 0, params);
//   return planner.done();
class Planner {
  public:
    explicit Planner(tenon_cuda_plan* plan) : plan_(plan) {
        plan->launch_count = 0;
        plan->workspace_bytes = 0;
        plan->message[0] = 0;
    }

    [[gnu::format(printf, 2, 3)]] int32_t invalid(const char* format, ...) {
        va_list list;
        va_start(list, format);
        std::vsnprintf(plan_->message, sizeof plan_->message, format, list);
        va_end(list);
        plan_->launch_count = 0;
        return TENON_CUDA_INVALID_ARGUMENT;
    }

    [[gnu::format(printf, 2, 3)]] int32_t unsupported(const char* format, ...) {
        va_list list;
        va_start(list, format);
        std::vsnprintf(plan_->message, sizeof plan_->message, format, list);
        va_end(list);
        plan_->launch_count = 0;
        return TENON_CUDA_UNSUPPORTED;
    }

    // kernel must have static storage. The grid's limits are 2^31 - 1, 65535, 65535.
    struct Grid {
        int64_t x = 1, y = 1, z = 1;
    };

    template <class Params>
    tenon_cuda_launch& launch(const char* kernel, Grid grid, int64_t block, int64_t shared_bytes,
                              const Params& params) {
        static_assert(std::is_trivially_copyable_v<Params> && sizeof(Params) <= TENON_CUDA_MAX_PARAMS_BYTES);
        tenon_cuda_launch& launch = plan_->launches[plan_->launch_count++];
        launch.kernel = kernel;
        launch.grid[0] = grid.x;
        launch.grid[1] = grid.y;
        launch.grid[2] = grid.z;
        launch.block = block;
        launch.shared_bytes = shared_bytes;
        launch.params_bytes = sizeof(Params);
        launch.tensor_map_count = 0;
        std::memcpy(launch.params, &params, sizeof(Params));
        return launch;
    }

    void workspace(int64_t bytes) { plan_->workspace_bytes = bytes; }

    int32_t done() { return TENON_CUDA_OK; }

  private:
    tenon_cuda_plan* plan_;
};

// Bytes of an element of a type that is at least a byte wide; 0 for other codes.
constexpr int64_t size_of_type(int64_t type) {
    switch (type) {
        case TENON_CUDA_F32:
        case TENON_CUDA_I32:
            return 4;
        case TENON_CUDA_I64:
            return 8;
        case TENON_CUDA_F16:
        case TENON_CUDA_BF16:
            return 2;
        case TENON_CUDA_U8:
        case TENON_CUDA_I8:
        case TENON_CUDA_BOOL:
        case TENON_CUDA_F8E4M3:
        case TENON_CUDA_F8E5M2:
            return 1;
        default:
            return 0;
    }
}

constexpr bool is_float(int64_t type) {
    return type == TENON_CUDA_F32 || type == TENON_CUDA_F16 || type == TENON_CUDA_BF16;
}

// Whether the address allows accesses of that many bytes; null does.
inline bool aligned(const void* pointer, int64_t bytes) {
    return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

// For a >= 0 and b > 0, without overflow.
constexpr int64_t divide_up(int64_t a, int64_t b) {
    return a / b + (a % b != 0);
}

// What a tensor may span; see plan.h.
constexpr int64_t kMostBytes = int64_t{1} << 40;
// The longest axis that kernels count with 32 bits: they also count what a block would take past its end.
constexpr int64_t kMostAxis = (int64_t{1} << 31) - (1 << 14);

// Whether a dense tensor spans no more than that. Sizes of 0 count as 1: strides are products of some of them.
inline bool fits(int64_t element_bytes, const int64_t* sizes, int64_t rank) {
    int64_t bytes = element_bytes;
    for (int64_t k = 0; k < rank; k++) {
        if (__builtin_mul_overflow(bytes, sizes[k] > 0 ? sizes[k] : 1, &bytes) || bytes > kMostBytes) return false;
    }
    return true;
}
inline bool fits(int64_t element_bytes, std::initializer_list<int64_t> sizes) {
    return fits(element_bytes, sizes.begin(), static_cast<int64_t>(sizes.size()));
}

// The same for a tensor with strides; that of an axis of at most one element counts for nothing.
struct Stride {
    int64_t size, stride;
};
inline bool fits(int64_t element_bytes, std::initializer_list<Stride> axes) {
    int64_t bytes = element_bytes;
    for (auto [size, stride] : axes) {
        int64_t reach;
        if (size <= 1) continue;
        if (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_mul_overflow(reach, element_bytes, &reach) ||
            reach > kMostBytes || reach < -kMostBytes) {
            return false;
        }
        bytes += reach < 0 ? -reach : reach;
        if (bytes > kMostBytes) return false;
    }
    return true;
}

}  // namespace tenon::cuda
