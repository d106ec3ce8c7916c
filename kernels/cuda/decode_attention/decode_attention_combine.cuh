// Combines the partial results of the splits of a sequence, in a launch of its own.
#pragma once
#include "decode_attention/decode_attention_common.cuh"

namespace tenon::cuda {

// A row (of q) to a warp, or, with few rows and many splits, to the block.
TENON_DEVICE void decode_attention_combine(const DecodeAttentionParams& p) {
    constexpr int at_once = 4, elements = kMaxHeadSize / kWarp;  // elements lane + 32 i
    TENON_SHARED(float, sums, [kCombineWarps][elements * kWarp]);
    TENON_SHARED(float, maxima, [kCombineWarps]);
    TENON_SHARED(float, weights, [kCombineWarps]);
    const int32_t b = static_cast<int32_t>(blockIdx.y), heads = p.kv_heads * p.group;
    const int64_t items = int64_t{p.rows} * heads;
    const int64_t item = int64_t{blockIdx.x} * (kCombineWarps / p.warps_per_row) + warp_id() / p.warps_per_row;
    const DecodeRange range = decode_range(p, b);

    float maximum = Max::identity(), weight = 0.0f, o[elements] = {};
    auto add = [&](float other_maximum, float other_weight, const float* other) {
        float largest = Max::combine(maximum, other_maximum), base = exponent_base(largest);
        float mine = exp2f(maximum - base), its = exp2f(other_maximum - base);
        maximum = largest;
        weight = weight * mine + other_weight * its;
        TENON_UNROLL
        for (int i = 0; i < elements; i++) o[i] = o[i] * mine + other[i] * its;
    };
    if (item < items) {
        for (int s = warp_id() % p.warps_per_row; s < range.splits; s += at_once * p.warps_per_row) {
            Vec<float, 2> state[at_once];
            float x[at_once][elements];
            TENON_UNROLL
            for (int u = 0; u < at_once; u++) {
                int split = s + u * p.warps_per_row;
                bool there = split < range.splits;
                int64_t at = (int64_t{b} * p.splits + split) * items + item;
                state[u] = there ? load<2>(p.partial_state + 2 * at) : Vec<float, 2>{{Max::identity(), 0.0f}};
                TENON_UNROLL
                for (int i = 0; i < elements; i++) {
                    int d = lane_id() + kWarp * i;
                    x[u][i] = there && d < p.head_size ? p.partial[at * p.head_size + d] : 0.0f;
                }
            }
            TENON_UNROLL
            for (int u = 0; u < at_once; u++) add(state[u].v[0], state[u].v[1], x[u]);
        }
    }
    if (p.warps_per_row > 1) {
        TENON_UNROLL
        for (int i = 0; i < elements; i++) sums[warp_id()][lane_id() + kWarp * i] = o[i];
        if (lane_id() == 0) maxima[warp_id()] = maximum, weights[warp_id()] = weight;
        __syncthreads();
        if (warp_id() > 0) return;
        for (int w = 1; w < kCombineWarps; w++) {
            float x[elements];
            TENON_UNROLL
            for (int i = 0; i < elements; i++) x[i] = sums[w][lane_id() + kWarp * i];
            add(maxima[w], weights[w], x);
        }
    }
    if (item >= items) return;
    int32_t row = static_cast<int32_t>(item / heads), head = static_cast<int32_t>(item % heads);
    auto put = [&](auto zero) {
        decode_store<decltype(zero)>(p, b, row, head, range.length, maximum, weight, [&](int i, int) { return o[i]; });
    };
    if (p.type == TENON_CUDA_F32) {
        put(0.0f);
    } else {
        with_type<f8e4m3>(p, put);
    }
}

}  // namespace tenon::cuda
