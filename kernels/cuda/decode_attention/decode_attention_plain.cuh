// Decode attention with fp32 products: for fp32, and, one element to an access, for any type, head size and alignment.
#pragma once
#include "decode_attention/decode_attention_common.cuh"

namespace tenon::cuda {

// `lanes` lanes take one key, each `elements` of its elements, N to an access; every such group of lanes has its own
// running maximum and sums, over its own keys, `unroll` of them at a time.
template <class C, int N, int lanes, int elements, int rows, int unroll>
TENON_DEVICE void decode_attention_plain(const DecodeAttentionParams& p) {
    constexpr int groups = kWarp / lanes, stride = lanes * elements + 2;
    constexpr int step = kDecodeWarps * groups * unroll;
    TENON_SHARED(float, sums, [kDecodeWarps * rows * stride]);
    TENON_SHARED(float, maxima, [kDecodeWarps * rows]);
    TENON_SHARED(float, weights, [kDecodeWarps * rows]);

    DecodeBlock block;
    if (!block.start(p, rows)) return;
    const DecodePages pages(p, block.b);
    const C* k_head = static_cast<const C*>(p.k) + block.kv_head * p.k_head_stride;
    const C* v_head = static_cast<const C*>(p.v) + block.kv_head * p.v_head_stride;
    const int group = lane_id() / lanes, part = lane_id() % lanes;
    auto element = [&](int i) { return (i / N * lanes + part) * N + i % N; };

    int32_t page[unroll] = {};
    auto key_at = [&](int32_t first, int u) { return first + u * groups + group; };
    auto load_pages = [&](int32_t first) {
        TENON_UNROLL
        for (int u = 0; u < unroll; u++) page[u] = pages.page(min(key_at(first, u), block.end - 1));
    };
    Vec<C, N> k[unroll][elements / N], v[unroll][elements / N];
    auto read = [&](const C* head, int64_t page_stride, int64_t token_stride, int32_t first, auto& to) {
        TENON_UNROLL
        for (int u = 0; u < unroll; u++) {
            int32_t in_page = min(key_at(first, u), block.end - 1) & pages.mask;
            const C* from = head + page[u] * page_stride + in_page * token_stride;
            TENON_UNROLL
            for (int i = 0; i < elements; i += N) {
                to[u][i / N] = Vec<C, N>{};
                if (element(i) < p.head_size) to[u][i / N] = load_once<N>(from + element(i));
            }
        }
    };
    int32_t first = block.begin + warp_id() * groups * unroll;
    if (block.begin < block.end) {
        load_pages(first);
        read(k_head, p.k_page_stride, p.k_token_stride, first, k);
        read(v_head, p.v_page_stride, p.v_token_stride, first, v);
        load_pages(first + step);
    }

    float q[rows][elements], o[rows][elements] = {}, maximum[rows], weight[rows] = {};
    int32_t last[rows];
    TENON_UNROLL
    for (int r = 0; r < rows; r++) {
        int row = block.first_row + r;
        int64_t at = block.b * p.q_batch_stride + row / p.group * p.q_row_stride +
                     (block.kv_head * p.group + row % p.group) * p.q_head_stride;
        with_type<C>(p, [&](auto zero) {
            TENON_UNROLL
            for (int i = 0; i < elements; i++) {
                q[r][i] = r < block.row_count && element(i) < p.head_size
                              ? to_float(static_cast<const decltype(zero)*>(p.q)[at + element(i)])
                              : 0.0f;
            }
        });
        maximum[r] = Max::identity();
        last[r] = min(block.last_key(p, r), block.end - 1);
    }
    const float scale = p.k_scale ? p.scale * p.k_scale[block.kv_head] : p.scale;

    for (int32_t start = block.begin; start < block.end; start += step, first += step) {
        float s[rows][unroll] = {};
        TENON_UNROLL
        for (int u = 0; u < unroll; u++) {
            TENON_UNROLL
            for (int i = 0; i < elements; i++) {
                TENON_UNROLL
                for (int r = 0; r < rows; r++) s[r][u] += q[r][i] * to_float(k[u][i / N].v[i % N]);
            }
        }
        bool more = start + step < block.end;
        if (more) read(k_head, p.k_page_stride, p.k_token_stride, first + step, k);
        TENON_UNROLL
        for (int r = 0; r < rows; r++) {
            float largest = maximum[r];
            TENON_UNROLL
            for (int u = 0; u < unroll; u++) {
                float x = warp_reduce<Sum, lanes>(s[r][u]);
                x = decode_sees(p, last[r], key_at(first, u)) ? decode_logit(p, x, scale) : Max::identity();
                s[r][u] = x;
                largest = Max::combine(largest, x);
            }
            float base = exponent_base(largest), factor = exp2f(maximum[r] - base);
            maximum[r] = largest;
            weight[r] *= factor;
            TENON_UNROLL
            for (int u = 0; u < unroll; u++) {
                s[r][u] = exp2f(s[r][u] - base);
                weight[r] += s[r][u];
            }
            TENON_UNROLL
            for (int i = 0; i < elements; i++) o[r][i] *= factor;
        }
        TENON_UNROLL
        for (int u = 0; u < unroll; u++) {
            TENON_UNROLL
            for (int i = 0; i < elements; i++) {
                TENON_UNROLL
                for (int r = 0; r < rows; r++) o[r][i] += s[r][u] * to_float(v[u][i / N].v[i % N]);
            }
        }
        if (more) {
            read(v_head, p.v_page_stride, p.v_token_stride, first + step, v);
            load_pages(first + 2 * step);
        }
    }

    TENON_UNROLL
    for (int r = 0; r < rows; r++) {
        float largest = maximum[r];
        TENON_UNROLL
        for (int offset = lanes; offset < kWarp; offset *= 2)
            largest = Max::combine(largest, __shfl_xor_sync(kAllLanes, largest, offset));
        float factor = exp2f(maximum[r] - exponent_base(largest));
        auto total = [&](float x) {
            x *= factor;
            TENON_UNROLL
            for (int offset = lanes; offset < kWarp; offset *= 2) x += __shfl_xor_sync(kAllLanes, x, offset);
            return x;
        };
        int at = warp_id() * rows + r;
        float all = total(weight[r]);
        if (lane_id() == 0) maxima[at] = largest, weights[at] = all;
        TENON_UNROLL
        for (int i = 0; i < elements; i++) {
            float x = total(o[r][i]);
            if (group == 0) sums[at * stride + element(i)] = x;
        }
    }
    __syncthreads();
    decode_finish<C, rows, stride>(p, block, sums, maxima, weights);
}

}  // namespace tenon::cuda
