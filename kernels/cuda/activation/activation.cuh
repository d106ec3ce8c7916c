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

// gelu(v) = max(v, 0) - |v| * Phi(-|v|), and Phi(-a) = 2^-p(a) with a polynomial p: erf's own cancellation near -1 is
// avoided, and a memory-bound kernel can afford it at every width. The polynomials are minimax fits over [0, 5.6] and
// [0, 6] (weight: error of gelu); both go on rising up to 13, where 2^-p is below 2^-100.
template <class T>
struct Gelu {
    static TENON_DEVICE float apply(float v) {
        const float a = Min::combine(fabsf(v), 13.0f);  // keeps 0 * infinity away, not NaN
        float q;
        if constexpr (sizeof(T) == 4) {
            q = 2.205056581772169e-08f;
            q = fmaf(q, a, -6.823240141784481e-07f);
            q = fmaf(q, a, 9.055985174200032e-06f);
            q = fmaf(q, a, -6.529008533107117e-05f);
            q = fmaf(q, a, 0.00024147250223904848f);
            q = fmaf(q, a, 7.771616947138682e-05f);
            q = fmaf(q, a, -0.0070387013256549835f);
            q = fmaf(q, a, 0.05250032991170883f);
            q = fmaf(q, a, 0.4592025876045227f);
            q = fmaf(q, a, 1.1511062383651733f);
            q = fmaf(q, a, 0.9999999403953552f);
        } else {
            q = -2.427722756692674e-05f;
            q = fmaf(q, a, 0.0006352980271913111f);
            q = fmaf(q, a, -0.007367867510765791f);
            q = fmaf(q, a, 0.051758378744125366f);
            q = fmaf(q, a, 0.46039554476737976f);
            q = fmaf(q, a, 1.1506727933883667f);
            q = fmaf(q, a, 1.0000208616256714f);
        }
        return fmaf(-a, exp2_fast(-q), fmaxf(v, 0.0f));
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
    const int64_t left = p.columns - column;
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
    const int warp_row = warp_id() / p.warps_across, warp_column = warp_id() % p.warps_across;
    const int64_t row = int64_t{row_block} * (kActivationWarps / p.warps_across) + warp_row;
    const int64_t column = (int64_t{across} * p.warps_across + warp_column) * tile;
    if (row >= p.rows || column >= p.columns) return;
    activate<T, N, kActivationItems>(p, row, column + lane_id() * N);
    if constexpr (N > 1) {
        // What is left of the last row: fewer elements than an access has.
        const int64_t vectors_end = p.columns / N * N;
        if (vectors_end < p.columns && vectors_end < column + tile) activate<T, 1, 1>(p, row, vectors_end + lane_id());
    }
}

}  // namespace tenon::cuda
