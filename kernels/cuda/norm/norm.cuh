#pragma once
#include "common/reduce.cuh"
#include "common/store.cuh"
#include "norm/norm_params.h"

namespace tenon::cuda {

// Who takes a row: p.lanes lanes of a warp, a warp, or the block.
enum class Row { lanes, warp, block };

// y = the norm of the sum of `count` rows, terms(0), terms(1) ..., N elements to an access; rows past the end are left
// out. terms(1) and later may be null: 0; where terms(0) is null, the sum is NaN. The first kNormItems accesses of each
// thread stay in registers; longer rows are read again for each pass. What a thread keeps of the first two terms and of
// scale is on its way before it is used.
template <class T, int N, Row by, int count, class Terms>
TENON_DEVICE void norm_row(const NormParams& p, uint32_t row, const Terms& terms, float* shared) {
    using V = Words<T, N>;
    // A warp's accesses follow one another, so that a thread's are a constant apart.
    const int step = (by == Row::lanes ? p.lanes : kWarp) * N;
    const int lane = by == Row::lanes ? lane_id() & (p.lanes - 1) : lane_id();
    const int first = (by == Row::block ? warp_id() * kNormItems * kWarp + lane : lane) * N;
    const int columns = row < p.rows ? static_cast<int>(p.columns) : 0;
    const float all_columns = static_cast<float>(p.columns);
    const T* scale = static_cast<const T*>(p.scale);
    const T* bias = static_cast<const T*>(p.bias);

    auto load_items = [&](const T* from, V(&to)[kNormItems]) {
        if (!from) return;
        TENON_UNROLL
        for (int item = 0; item < kNormItems; item++) {
            int i = first + item * step;
            if (i < columns) to[item] = load_words<N>(from + i);
        }
    };
    V read[2][kNormItems], scales[kNormItems];
    load_items(terms(0), read[0]);
    load_items(terms(1), read[1]);
    load_items(scale, scales);

    // The sum is rounded: it may be an output of its own.
    auto add = [&](auto term) {
        float s[N], more[N];
        TENON_UNROLL
        for (int k = 0; k < N; k++) s[k] = float_of(0x7fc00000u);
        if (terms(0)) to_floats(term(0), s);
        TENON_UNROLL
        for (int t = 1; t < count; t++) {
            if (!terms(t)) continue;
            to_floats(term(t), more);
            TENON_UNROLL
            for (int k = 0; k < N; k++) s[k] += more[k];
        }
        return words_from_floats<T>(s);
    };
    TENON_UNROLL
    for (int item = 0; item < kNormItems; item++) {
        int i = first + item * step;
        if (i < columns)
            read[0][item] = add([&](int t) { return t < 2 ? read[t][item] : load_words<N>(terms(t) + i); });
    }
    // Calls body(column, values, what gives the scale, what gives the bias) for every access of this thread.
    auto for_each = [&](auto body) {
        TENON_UNROLL
        for (int item = 0; item < kNormItems; item++) {
            int i = first + item * step;
            if (i < columns) {
                float v[N];
                to_floats(read[0][item], v);
                body(
                    i, v, [&] { return scales[item]; }, [&] { return load_words<N>(bias + i); });
            }
        }
        if constexpr (by == Row::block) {
            const int block_step = static_cast<int>(blockDim.x) * kNormItems * N;
            TENON_NO_UNROLL
            for (int i = first + block_step, item = 0; i < columns;
                 i += ++item % kNormItems ? step : block_step - (kNormItems - 1) * step) {
                float v[N];
                to_floats(add([&](int t) { return load_words<N>(terms(t) + i); }), v);
                body(
                    i, v, [&] { return load_words<N>(scale + i); }, [&] { return load_words<N>(bias + i); });
            }
        }
    };
    auto over_row = [&](auto op, float v) {
        if constexpr (by == Row::lanes) {
            for (int offset = p.lanes / 2; offset > 0; offset /= 2) {
                v = op.combine(v, __shfl_xor_sync(kAllLanes, v, offset));
            }
            return v;
        } else if constexpr (by == Row::warp) {
            return warp_reduce<decltype(op)>(v);
        } else {
            return block_reduce<decltype(op)>(v, shared);
        }
    };

    float mean = 0.0f, inverse = 1.0f;
    if (p.kind == TENON_CUDA_NORM_LAYER) {
        float s = 0.0f;
        for_each([&](int, const float(&v)[N], auto, auto) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) s += v[k];
        });
        mean = over_row(Sum{}, s) / all_columns;
    }
    if (p.kind != kNormNone) {
        float squares = 0.0f;
        for_each([&](int, const float(&v)[N], auto, auto) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) squares += (v[k] - mean) * (v[k] - mean);
        });
        inverse = rsqrtf(over_row(Sum{}, squares) / all_columns + p.epsilon);
    }

    auto normalise = [&](const float(&v)[N], auto scale_of, auto bias_of, float(&n)[N]) {
        TENON_UNROLL
        for (int k = 0; k < N; k++) n[k] = (v[k] - mean) * inverse;
        if (scale) {
            float w[N];
            to_floats(scale_of(), w);
            TENON_UNROLL
            for (int k = 0; k < N; k++) n[k] *= w[k];
        }
        if (bias) {
            float w[N];
            to_floats(bias_of(), w);
            TENON_UNROLL
            for (int k = 0; k < N; k++) n[k] += w[k];
        }
    };

    float inverse_scale = p.inverse_y_scale;
    if (p.row_scale) {
        float largest = 0.0f;
        for_each([&](int, const float(&v)[N], auto scale_of, auto bias_of) {
            float n[N];
            normalise(v, scale_of, bias_of, n);
            TENON_UNROLL
            for (int k = 0; k < N; k++) largest = Max::combine(largest, fabsf(n[k]));
        });
        largest = over_row(Max{}, largest);
        const float q = scale_of_row(largest, p.y_type);
        if (first < columns && first == 0) p.row_scale[row] = q;
        inverse_scale = 1.0f / q;
    }
    for_each([&](int i, const float(&v)[N], auto scale_of, auto bias_of) {
        float n[N];
        normalise(v, scale_of, bias_of, n);
        // After the last read of this element: sum and y may be one of the terms.
        if (p.sum) store_words<N>(static_cast<T*>(p.sum) + row * p.sum_stride + i, words_from_floats<T>(v));
        store_as<T>(p.y, p.y_type, row * p.y_stride + i, n, inverse_scale);
    });
}

// The row of these lanes, this warp or block.
template <Row by>
TENON_DEVICE uint32_t norm_row_index(const NormParams& p) {
    if constexpr (by == Row::block) return blockIdx.x;
    const uint32_t warp = blockIdx.x * (kNormThreads / kWarp) + warp_id();
    // Threads may be more than 32 bits count.
    return by == Row::warp ? warp : warp * (kWarp / p.lanes) + lane_id() / p.lanes;
}

template <class T, int N, Row by>
TENON_DEVICE void norm(const NormParams& p, float* shared) {
    const uint32_t row = norm_row_index<by>(p);
    if (by == Row::warp && row >= p.rows) return;
    auto terms = [&](int t) -> const T* {
        if (t == 0) return static_cast<const T*>(p.x) + row * p.x_stride;
        return p.residual ? static_cast<const T*>(p.residual) + row * p.residual_stride : nullptr;
    };
    norm_row<T, N, by, 2>(p, row, terms, shared);
}

}  // namespace tenon::cuda
