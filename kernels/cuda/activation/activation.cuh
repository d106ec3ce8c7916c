#pragma once
#include "activation/activation.h"
#include "activation/activation_params.h"
#include "common/math.cuh"
#include "common/reduce.cuh"
#include "common/store.cuh"

namespace tenon::cuda {

struct Relu {
    static TENON_DEVICE float apply(float v) { return Max::combine(v, 0.0f); }
};

// gelu(v) = max(v, 0) - |v| Phi(-|v|): erf's own cancellation near -1 is avoided.
template <class T>
struct Gelu {
    static TENON_DEVICE float apply(float v) {
        const float a = Min::combine(fabsf(v), 13.0f);  // keeps 0 * infinity away, not NaN
        return fmaf(-a, normal_tail<T>(a), fmaxf(v, 0.0f));
    }
};

// (1 + tanh(u)) / 2 = 1 / (1 + 2^(-2 u log2(e)))
struct GeluTanh {
    static TENON_DEVICE float apply(float v) {
        constexpr float linear = -2.0f * 0.7978845608028654f * kLog2E, cubic = linear * 0.044715f;
        float u = v * fmaf(cubic, v * v, linear);
        return v * reciprocal_fast(1.0f + exp2_fast(u));
    }
};

template <int thousandths>
struct Silu {
    static TENON_DEVICE float apply(float v) {
        return v * reciprocal_fast(1.0f + exp2_fast(v * (thousandths * -1e-3f * kLog2E)));
    }
};

// `items` accesses of N elements, from column on, each a warp's width after the one before; those beyond the row are
// left out. All loads but up_bias's are on their way before the first use.
template <class T, int N, int items>
TENON_DEVICE void activate(const ActivationParams& p, int64_t row, int64_t column) {
    constexpr int step = kWarp * N;
    const int left = static_cast<int>(min(p.columns - column, int64_t{items * step}));
    auto load_items = [&](const void* from, int64_t at, Words<T, N>(&to)[items]) {
        if (!from) return;
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            if (i * step + N <= left) to[i] = load_words<N>(static_cast<const T*>(from) + at + i * step);
        }
    };
    Words<T, N> x[items], up[items], bias[items];
    load_items(p.x, row * p.x_stride + column, x);
    load_items(p.up, row * p.up_stride + column, up);
    load_items(p.bias, column, bias);

    auto finish = [&](auto f) {
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            if (i * step + N > left) continue;
            float v[N], w[N];
            to_floats(x[i], v);
            if (p.bias) {
                to_floats(bias[i], w);
                TENON_UNROLL
                for (int k = 0; k < N; k++) v[k] += w[k];
            }
            TENON_UNROLL
            for (int k = 0; k < N; k++) v[k] = f.apply(v[k]);
            if (p.up) {
                to_floats(up[i], w);
                if (p.up_bias) {
                    float b[N];
                    to_floats(load_words<N>(static_cast<const T*>(p.up_bias) + column + i * step), b);
                    TENON_UNROLL
                    for (int k = 0; k < N; k++) w[k] += b[k];
                }
                TENON_UNROLL
                for (int k = 0; k < N; k++) v[k] *= w[k];
            }
            store_as<T>(p.y, p.y_type, row * p.y_stride + column + i * step, v, p.inverse_y_scale);
        }
    };
    switch (p.kind) {
        case TENON_CUDA_ACTIVATION_RELU:
            return finish(Relu{});
        case TENON_CUDA_ACTIVATION_GELU:
            return finish(Gelu<T>{});
        case TENON_CUDA_ACTIVATION_GELU_TANH:
            return finish(GeluTanh{});
        case TENON_CUDA_ACTIVATION_SILU:
            return finish(Silu<1000>{});
        default:
            return finish(Silu<1702>{});
    }
}

template <class T, int N>
TENON_DEVICE void activation(const ActivationParams& p) {
    constexpr int tile = kWarp * N * kActivationItems;
    const uint32_t row_block = blockIdx.x / p.blocks_across, across = blockIdx.x % p.blocks_across;
    const uint32_t warp = threadIdx.x / kWarp, warps_across = 1u << p.warps_across_log2;
    const int64_t row = int64_t{row_block} * (kActivationWarps >> p.warps_across_log2) + (warp >> p.warps_across_log2);
    const int64_t column = (int64_t{across} * warps_across + (warp & (warps_across - 1))) * tile;
    if (row >= p.rows || column >= p.columns) return;
    activate<T, N, kActivationItems>(p, row, column + lane_id() * N);
    if constexpr (N > 1) {
        // What is left of the last row: fewer elements than an access has.
        const int64_t vectors_end = p.columns / N * N;
        if (vectors_end < p.columns && vectors_end < column + tile) activate<T, 1, 1>(p, row, vectors_end + lane_id());
    }
}

}  // namespace tenon::cuda
