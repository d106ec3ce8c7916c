#pragma once
#include "common/plan.h"
#include "common/reduce.cuh"
#include "common/vector.cuh"
#include "norm/norm_params.h"

namespace tenon::cuda {

// Stores N results n[i] * inverse_scale of columns i, i+1 ...
template <class T, int N>
TENON_DEVICE void store_norm(const NormParams& p, int64_t row, int64_t i, const float (&n)[N], float inverse_scale) {
    int64_t at = row * p.y_stride + i;
    if (p.y_type == TENON_CUDA_I8 || p.y_type == TENON_CUDA_F8E4M3) {
        float scaled[N];
        TENON_UNROLL
        for (int k = 0; k < N; k++) scaled[k] = n[k] * inverse_scale;
        if (p.y_type == TENON_CUDA_I8) {
            store(static_cast<int8_t*>(p.y) + at, from_floats<int8_t>(scaled));
        } else {
            store(static_cast<f8e4m3*>(p.y) + at, from_floats<f8e4m3>(scaled));
        }
    } else {
        store(static_cast<T*>(p.y) + at, from_floats<T>(n));
    }
}

// One row by `threads` threads (32: a warp; kNormThreads: the block), N elements to an access. The row's first
// kNormItems accesses of each thread stay in registers; longer rows are read again for each pass.
template <class T, int N, int threads>
TENON_DEVICE void norm_row(const NormParams& p, int64_t row, float* shared) {
    constexpr int step = threads * N;
    const int first = (threads == kWarp ? lane_id() : static_cast<int>(threadIdx.x)) * N;
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride;
    const T* residual = p.residual ? static_cast<const T*>(p.residual) + row * p.residual_stride : nullptr;
    T* sum = p.sum ? static_cast<T*>(p.sum) + row * p.sum_stride : nullptr;

    auto read = [&](int64_t i) {
        Vec<T, N> s = load<N>(x + i);
        if (residual) {
            Vec<T, N> r = load<N>(residual + i);
            float a[N], b[N];
            to_floats(s, a);
            to_floats(r, b);
            TENON_UNROLL
            for (int k = 0; k < N; k++) a[k] += b[k];
            s = from_floats<T>(a);
        }
        return s;
    };
    auto total = [&](float v) {
        if constexpr (threads == kWarp) {
            return warp_reduce<Sum>(v);
        } else {
            return block_reduce<Sum, threads>(v, shared);
        }
    };

    Vec<T, N> kept[kNormItems];
    TENON_UNROLL
    for (int item = 0; item < kNormItems; item++) {
        int64_t i = first + item * step;
        if (i < p.columns) kept[item] = read(i);
    }
    // Calls body(column, values) for every access of this thread.
    auto for_each = [&](auto body) {
        TENON_UNROLL
        for (int item = 0; item < kNormItems; item++) {
            int64_t i = first + item * step;
            if (i < p.columns) {
                float v[N];
                to_floats(kept[item], v);
                body(i, v);
            }
        }
        if constexpr (threads != kWarp) {
            for (int64_t i = first + int64_t{kNormItems} * step; i < p.columns; i += step) {
                float v[N];
                to_floats(read(i), v);
                body(i, v);
            }
        }
    };

    float mean = 0.0f;
    if (!p.rms) {
        float s = 0.0f;
        for_each([&](int64_t, const float(&v)[N]) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) s += v[k];
        });
        mean = total(s) / static_cast<float>(p.columns);
    }
    float squares = 0.0f;
    for_each([&](int64_t, const float(&v)[N]) {
        TENON_UNROLL
        for (int k = 0; k < N; k++) squares += (v[k] - mean) * (v[k] - mean);
    });
    const float inverse = rsqrtf(total(squares) / static_cast<float>(p.columns) + p.epsilon);

    auto normalise = [&](int64_t i, const float(&v)[N], float(&n)[N]) {
        TENON_UNROLL
        for (int k = 0; k < N; k++) n[k] = (v[k] - mean) * inverse;
        if (p.scale) {
            float w[N];
            to_floats(load<N>(static_cast<const T*>(p.scale) + i), w);
            TENON_UNROLL
            for (int k = 0; k < N; k++) n[k] *= w[k];
        }
        if (p.bias) {
            float w[N];
            to_floats(load<N>(static_cast<const T*>(p.bias) + i), w);
            TENON_UNROLL
            for (int k = 0; k < N; k++) n[k] += w[k];
        }
    };

    float inverse_scale = p.inverse_y_scale;
    if (p.row_scale) {
        float largest = 0.0f;
        for_each([&](int64_t i, const float(&v)[N]) {
            float n[N];
            normalise(i, v, n);
            TENON_UNROLL
            for (int k = 0; k < N; k++) largest = Max::combine(largest, fabsf(n[k]));
        });
        if constexpr (threads == kWarp) {
            largest = warp_reduce<Max>(largest);
        } else {
            largest = block_reduce<Max, threads>(largest, shared);
        }
        float limit = p.y_type == TENON_CUDA_I8 ? 127.0f : 448.0f;
        float scale = largest == 0.0f ? 1.0f : largest / limit;
        if (first == 0) p.row_scale[row] = scale;
        inverse_scale = 1.0f / scale;
    }
    for_each([&](int64_t i, const float(&v)[N]) {
        float n[N];
        normalise(i, v, n);
        // After the last read of this element: sum and y may be x or residual.
        if (sum) store(sum + i, from_floats<T>(v));
        store_norm<T>(p, row, i, n, inverse_scale);
    });
}

}  // namespace tenon::cuda
