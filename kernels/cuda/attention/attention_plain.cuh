// Attention in fp32 on the CUDA cores. The same ring of tiles as the mma kernel's; thread (y, x) of 16 x 16 computes a
// few rows by keys x, x + 16 ... and, of the values, columns 4x to 4x + 3, then 64 further. The 16 threads of a row are
// half a warp: the weights go through shared memory that only they touch.
#pragma once
#include "attention/attention_common.cuh"

namespace tenon::cuda {

template <int kHead>
TENON_DEVICE void attention_plain(const AttentionParams& p, unsigned char* shared_bytes) {
    constexpr AttentionPlainTile tile = kAttentionPlainTile<kHead>;
    constexpr int R = tile.rows / 16, C = tile.keys / 16, E = kHead / 64;
    constexpr int stride = tile.row_elements, weight_stride = tile.weight_elements, threads = tile.threads;

    const AttentionWork w = attention_work<tile.rows, tile.keys>(p, blockIdx.x);
    float* const shared_q = reinterpret_cast<float*>(shared_bytes);
    float* const shared_k = shared_q + tile.rows * stride;
    float* const shared_v = shared_k + tile.keys * stride;
    const int x = static_cast<int>(threadIdx.x) % 16, y = static_cast<int>(threadIdx.x) / 16;
    const float* const my_q = shared_q + y * R * stride;
    const float* const my_k = shared_k + x * stride;
    float* const weights = shared_v + tile.keys * stride + y * R * weight_stride;
    const int row0 = w.row0 + y * R;

    const float* const k = at<float>(p.k, w.batch, w.kv_head, w.key_begin);
    const float* const v = at<float>(p.v, w.batch, w.kv_head, w.key_begin);
    // The mask's element for row0 and the thread's first key of the next tile.
    const unsigned char* mask = static_cast<const unsigned char*>(p.mask.data) + w.batch * p.mask.batch_stride +
                                w.head * p.mask.head_stride + row0 * p.mask.row_stride +
                                (int64_t{w.key_begin} + x) * p.mask_bytes;
    auto load_keys = [&](int t) {
        if (t < w.tiles) {
            load_attention_tile<float, tile.keys, kHead, threads>(
                shared_k, k + t * tile.keys * p.k.row_stride, p.k.row_stride, w.length - w.key_begin - t * tile.keys,
                p.head_size, p.vectors);
        }
        async_copy_commit();
    };
    load_attention_tile<float, tile.rows, kHead, threads>(shared_q, at<float>(p.q, w.batch, w.head, w.row0),
                                                          p.q.row_stride, p.queries - w.row0, p.head_size, p.vectors);
    load_keys(0);

    float o[R][E][4] = {};
    float top[R], sum[R] = {};
    TENON_UNROLL
    for (int r = 0; r < R; r++) top[r] = minus_infinity();
    for (int t = 0; t < w.tiles; t++) {
        const int key0 = w.key_begin + t * tile.keys;
        async_copy_wait<0>();
        __syncthreads();
        load_attention_tile<float, tile.keys, kHead, threads>(shared_v, v + t * tile.keys * p.v.row_stride,
                                                              p.v.row_stride, w.length - key0, p.value_size, p.vectors);
        async_copy_commit();

        float score[R][C] = {};
        TENON_UNROLL
        for (int d = 0; d < kHead; d += 4) {
            Vec<float, 4> a[R], b[C];
            TENON_UNROLL
            for (int r = 0; r < R; r++) a[r] = load<4>(my_q + r * stride + d);
            TENON_UNROLL
            for (int c = 0; c < C; c++) b[c] = load<4>(my_k + c * 16 * stride + d);
            TENON_UNROLL
            for (int i = 0; i < 4; i++) {
                TENON_UNROLL
                for (int r = 0; r < R; r++) {
                    TENON_UNROLL
                    for (int c = 0; c < C; c++) score[r][c] += a[r].v[i] * b[c].v[i];
                }
            }
        }
        const unsigned char* mask_row = mask;
        mask += tile.keys * p.mask_bytes;
        TENON_UNROLL
        for (int r = 0; r < R; r++) {
            // From the thread's first key on, as in the mma kernel.
            const int key = key0 + x, diagonal = row0 + w.diagonal - key + r, length = w.length - key;
            const int end = min(length, diagonal), begin = p.window ? diagonal - p.window : 0;
            scale_scores(p, score[r]);
            with_mask<float>(p, [&](auto* null) {
                auto* from = reinterpret_cast<decltype(null)>(mask_row);
                TENON_UNROLL
                for (int c = 0; c < C; c++) {
                    if (row0 + r < p.queries && c * 16 < length) score[r][c] = masked_score(score[r][c], from[c * 16]);
                }
            });
            mask_row += p.mask.row_stride;
            float higher = top[r];
            TENON_UNROLL
            for (int c = 0; c < C; c++) {
                if (c * 16 < begin || c * 16 >= end) score[r][c] = minus_infinity();
                higher = fmaxf(higher, score[r][c]);
            }
            TENON_UNROLL
            for (int i = 8; i > 0; i /= 2) higher = fmaxf(higher, __shfl_xor_sync(kAllLanes, higher, i));
            float scale = higher == minus_infinity() ? 1.0f : exp2_fast(top[r] - higher);
            float reference = higher == minus_infinity() ? 0.0f : higher;
            top[r] = higher;
            sum[r] *= scale;
            TENON_UNROLL
            for (int e = 0; e < E; e++) {
                TENON_UNROLL
                for (int i = 0; i < 4; i++) o[r][e][i] *= scale;
            }
            TENON_UNROLL
            for (int c = 0; c < C; c++) {
                float weight = exp2_fast(score[r][c] - reference);
                sum[r] += weight;
                weights[r * weight_stride + x + c * 16] = weight;
            }
        }

        async_copy_wait<0>();
        __syncthreads();
        load_keys(t + 1);
        TENON_UNROLL
        for (int j = 0; j < tile.keys; j += 4) {
            Vec<float, 4> a[R];
            TENON_UNROLL
            for (int r = 0; r < R; r++) a[r] = load<4>(weights + r * weight_stride + j);
            TENON_UNROLL
            for (int i = 0; i < 4; i++) {
                TENON_UNROLL
                for (int e = 0; e < E; e++) {
                    Vec<float, 4> b = load<4>(shared_v + (j + i) * stride + e * 64 + x * 4);
                    TENON_UNROLL
                    for (int r = 0; r < R; r++) {
                        TENON_UNROLL
                        for (int c = 0; c < 4; c++) o[r][e][c] += a[r].v[i] * b.v[c];
                    }
                }
            }
        }
    }
    async_copy_wait<0>();

    TENON_UNROLL
    for (int r = 0; r < R; r++) {
        float total = warp_reduce<Sum, 16>(sum[r]);
        int row = row0 + r;
        if (row >= p.queries) continue;
        if (p.lse && x == 0) {
            p.lse[(int64_t{w.batch} * p.heads + w.head) * p.queries + row] =
                total == 0.0f ? minus_infinity() : (top[r] + log2_fast(total)) * kLn2;
        }
        float* out = at<float>(p.o, w.batch, w.head, row);
        TENON_UNROLL
        for (int e = 0; e < E; e++) {
            int column = e * 64 + x * 4;
            Vec<float, 4> result;
            TENON_UNROLL
            for (int i = 0; i < 4; i++) result.v[i] = total == 0.0f ? 0.0f : o[r][e][i] / total;
            if (p.vectors) {
                if (column < p.value_size) store(out + column, result);
            } else {
                TENON_UNROLL
                for (int i = 0; i < 4; i++) {
                    if (column + i < p.value_size) out[column + i] = result.v[i];
                }
            }
        }
    }
}

}  // namespace tenon::cuda
