// Attention on tensor cores with sm_80's instructions, as FlashAttention-2 has it: a warp owns 16 or 32 queries and
// keeps their sums in registers; tiles of keys and values come through shared memory; the weights go from the
// accumulators of q k^T to the operand of the product with v without leaving the registers.
//
// Shared memory: q's rows, then a ring of slots for tiles of k and v in turn (k0, v0, k1, v1 ...). Step s waits for its
// tile, meets the other warps, which frees the slot of step s - 1, starts the copy of step s + slots - 1 into that, and
// computes.
#pragma once
#include "attention/attention_common.cuh"
#include "common/mma.cuh"
#include "common/reduce.cuh"

namespace tenon::cuda {

template <class T, int kHead, bool kSmall>
TENON_DEVICE void attention_mma(const AttentionParams& p, unsigned char* shared_bytes) {
    constexpr AttentionTile tile = kAttentionTile<kHead, kSmall>;
    static_assert(tile.shared_bytes <= 80 << 10);
    constexpr int M = tile.row_tiles, N = tile.keys / 8, E = kHead / 8;  // m16 tiles, n8 tiles of keys, of values
    constexpr int steps = kHead / 16, stride = tile.row_elements, slots = tile.slots, threads = tile.threads;
    // A score may exceed the maximum that its row's sums refer to by this much (log2) before they are rescaled.
    constexpr float slack = 8.0f;

    const AttentionWork w = attention_work<tile.rows, tile.keys>(p, blockIdx.x);
    T* const shared_q = reinterpret_cast<T*>(shared_bytes);
    T* const ring = shared_q + tile.rows * stride;
    const T* const q = at<T>(p.q, w.batch, w.head, w.row0);
    const T* const k = at<T>(p.k, w.batch, w.kv_head, w.key_begin);
    const T* const v = at<T>(p.v, w.batch, w.kv_head, w.key_begin);
    const int lane = lane_id(), warp_row = warp_id() * 16 * M;
    const int first_row = w.row0 + warp_row, last_row = first_row + 16 * M - 1;  // of the warp
    const int lane_row = first_row + lane / 4, lane_key = lane % 4 * 2;          // of this lane's first accumulator

    // The mask's element for lane_row and lane_key of the next tile.
    const unsigned char* mask = static_cast<const unsigned char*>(p.mask.data) + w.batch * p.mask.batch_stride +
                                w.head * p.mask.head_stride + lane_row * p.mask.row_stride +
                                (int64_t{w.key_begin} + lane_key) * p.mask_bytes;

    auto slot = [&](int step) { return ring + step % slots * (tile.keys * stride); };
    auto start_copy = [&](int step) {
        int t = step / 2;
        if (t < w.tiles) {
            bool values = step % 2;
            load_attention_tile<T, tile.keys, kHead, threads>(
                slot(step), (values ? v : k) + t * tile.keys * (values ? p.v : p.k).row_stride,
                (values ? p.v : p.k).row_stride, w.length - w.key_begin - t * tile.keys,
                values ? p.value_size : p.head_size, p.vectors);
        }
        async_copy_commit();
    };
    load_attention_tile<T, tile.rows, kHead, threads>(shared_q, q, p.q.row_stride, p.queries - w.row0, p.head_size,
                                                      p.vectors);
    TENON_UNROLL
    for (int step = 0; step < slots - 1; step++) start_copy(step);

    // Rows that the lane names to ldmatrix: matrices 0..3 are (rows 0-7, 8-15) x (columns 0-7, 8-15) of q and of v, and
    // for k the other way round.
    const T* const my_q = shared_q + (warp_row + lane % 16) * stride + lane / 16 * 8;
    const int my_k = (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8;
    const int my_v = lane % 16 * stride + lane / 16 * 8;

    uint32_t q_kept[tile.q_in_registers ? steps : 1][M][4];
    float o[M][E][4] = {};
    // Of the lane's rows: what the sums refer to (log2 of the weight 1), and the lane's part of the weights' sum.
    float top[M][2], sum[M][2] = {};
    TENON_UNROLL
    for (int m = 0; m < M; m++) top[m][0] = top[m][1] = minus_infinity();

    for (int t = 0; t < w.tiles; t++) {
        const int key0 = w.key_begin + t * tile.keys;
        // Causal: nothing for this warp in a tile that others of the block need.
        const bool seen = key0 < last_row + w.diagonal;
        async_copy_wait<slots - 2>();
        __syncthreads();
        start_copy(2 * t + slots - 1);

        uint32_t weights[M][N / 2][4];
        if (seen) {
            if constexpr (tile.q_in_registers) {
                if (t == 0) {
                    TENON_UNROLL
                    for (int s = 0; s < steps; s++) {
                        TENON_UNROLL
                        for (int m = 0; m < M; m++) ldmatrix_x4(q_kept[s][m], my_q + m * 16 * stride + s * 16);
                    }
                }
            }
            float score[M][N][4] = {};
            const T* keys = slot(2 * t) + my_k;
            TENON_UNROLL
            for (int s = 0; s < steps; s++) {
                uint32_t a[M][4];
                TENON_UNROLL
                for (int m = 0; m < M; m++) {
                    if constexpr (tile.q_in_registers) {
                        TENON_UNROLL
                        for (int i = 0; i < 4; i++) a[m][i] = q_kept[s][m][i];
                    } else {
                        ldmatrix_x4(a[m], my_q + m * 16 * stride + s * 16);
                    }
                }
                TENON_UNROLL
                for (int n = 0; n < N; n += 2) {
                    uint32_t b[4];
                    ldmatrix_x4(b, keys + n * 8 * stride + s * 16);
                    TENON_UNROLL
                    for (int m = 0; m < M; m++) {
                        mma_m16n8k16<T>(score[m][n], a[m], {b[0], b[1]});
                        mma_m16n8k16<T>(score[m][n + 1], a[m], {b[2], b[3]});
                    }
                }
            }

            float factor = p.scale_log2;
            if (p.adjust) {
                factor = 1.0f;
                TENON_UNROLL
                for (int m = 0; m < M; m++) {
                    TENON_UNROLL
                    for (int n = 0; n < N; n++) scale_scores(p, score[m][n]);
                }
                with_mask<T>(p, [&](auto* null) {
                    const unsigned char* at = mask;
                    TENON_UNROLL
                    for (int m = 0; m < M; m++) {
                        TENON_UNROLL
                        for (int r = 0; r < 2; r++, at += p.mask_8_rows) {
                            auto* row = reinterpret_cast<decltype(null)>(at);
                            if (lane_row + m * 16 + r * 8 >= p.queries) continue;
                            TENON_UNROLL
                            for (int n = 0; n < N; n++) {
                                TENON_UNROLL
                                for (int i = 0; i < 2; i++) {
                                    if (key0 + lane_key + n * 8 + i >= p.keys) continue;
                                    float& s = score[m][n][2 * r + i];
                                    s = masked_score(s, row[n * 8 + i]);
                                }
                            }
                        }
                    }
                });
                mask += tile.keys * p.mask_bytes;
            }
            if (key0 + tile.keys > end_key(w, first_row) || key0 < first_key(p, w, last_row)) {
                TENON_UNROLL
                for (int m = 0; m < M; m++) {
                    TENON_UNROLL
                    for (int r = 0; r < 2; r++) {
                        // From the lane's first key on. What changes with the tile comes first, so that nothing of
                        // this stays in registers from tile to tile.
                        const int key = key0 + lane_key, row = m * 16 + r * 8;
                        const int diagonal = lane_row + w.diagonal - key + row;
                        const int end = min(w.length - key, diagonal), begin = p.window ? diagonal - p.window : 0;
                        TENON_UNROLL
                        for (int n = 0; n < N; n++) {
                            TENON_UNROLL
                            for (int i = 0; i < 2; i++) {
                                if (n * 8 + i < begin || n * 8 + i >= end) score[m][n][2 * r + i] = minus_infinity();
                            }
                        }
                    }
                }
            }

            // The maximum moves only when it has grown by more than the slack, so most tiles need no rescaling.
            float tile_top[M][2];
            bool grown = false;
            TENON_UNROLL
            for (int m = 0; m < M; m++) {
                TENON_UNROLL
                for (int r = 0; r < 2; r++) {
                    float x = minus_infinity();
                    TENON_UNROLL
                    for (int n = 0; n < N; n++) x = fmaxf(x, fmaxf(score[m][n][2 * r], score[m][n][2 * r + 1]));
                    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, 1));
                    x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, 2));
                    tile_top[m][r] = x * factor;
                    // Beyond 2^20 the product of score and factor must not be fused with the subtraction: the rounding
                    // of top would be a weight of its own.
                    grown = grown || tile_top[m][r] > top[m][r] + slack || fabsf(tile_top[m][r]) > 0x1p20f;
                }
            }
            if (__any_sync(kAllLanes, grown)) {
                TENON_UNROLL
                for (int m = 0; m < M; m++) {
                    TENON_UNROLL
                    for (int r = 0; r < 2; r++) {
                        float higher = fmaxf(top[m][r], tile_top[m][r]);
                        float scale = higher == minus_infinity() ? 1.0f : exp2_fast(top[m][r] - higher);
                        top[m][r] = higher;
                        sum[m][r] *= scale;
                        TENON_UNROLL
                        for (int e = 0; e < E; e++) {
                            o[m][e][2 * r] *= scale;
                            o[m][e][2 * r + 1] *= scale;
                        }
                    }
                    TENON_UNROLL
                    for (int n = 0; n < N; n++) {
                        TENON_UNROLL
                        for (int i = 0; i < 4; i++) score[m][n][i] = __fmul_rn(score[m][n][i], factor);
                    }
                }
                factor = 1.0f;
            }
            TENON_UNROLL
            for (int m = 0; m < M; m++) {
                TENON_UNROLL
                for (int r = 0; r < 2; r++) {
                    float reference = top[m][r] == minus_infinity() ? 0.0f : top[m][r];
                    TENON_UNROLL
                    for (int n = 0; n < N; n++) {
                        float a = exp2_fast(fmaf(score[m][n][2 * r], factor, -reference));
                        float b = exp2_fast(fmaf(score[m][n][2 * r + 1], factor, -reference));
                        sum[m][r] += a + b;
                        weights[m][n / 2][n % 2 * 2 + r] = Pack<T>::from(a, b);
                    }
                }
            }
        }

        async_copy_wait<slots - 2>();
        __syncthreads();
        start_copy(2 * t + slots);
        if (seen) {
            const T* values = slot(2 * t + 1) + my_v;
            TENON_UNROLL
            for (int s = 0; s < N / 2; s++) {
                TENON_UNROLL
                for (int e = 0; e < E; e += 2) {
                    uint32_t b[4];
                    ldmatrix_x4<true>(b, values + s * 16 * stride + e * 8);
                    TENON_UNROLL
                    for (int m = 0; m < M; m++) {
                        mma_m16n8k16<T>(o[m][e], weights[m][s], {b[0], b[1]});
                        mma_m16n8k16<T>(o[m][e + 1], weights[m][s], {b[2], b[3]});
                    }
                }
            }
        }
    }
    async_copy_wait<0>();

    // The warp's own rows of shared_q take its results on their way to 16-byte stores. The barrier is for blocks
    // without any tile, whose threads have not met since the copies of q.
    __syncthreads();
    TENON_UNROLL
    for (int m = 0; m < M; m++) {
        TENON_UNROLL
        for (int r = 0; r < 2; r++) {
            float total = sum[m][r];
            total += __shfl_xor_sync(kAllLanes, total, 1);
            total += __shfl_xor_sync(kAllLanes, total, 2);
            const float inverse = reciprocal_fast(total);
            const int row = lane_row + m * 16 + r * 8;
            T* to = shared_q + (row - w.row0) * stride + lane_key;
            TENON_UNROLL
            for (int e = 0; e < E; e++) {
                uint32_t pair =
                    total == 0.0f ? 0u : Pack<T>::from(o[m][e][2 * r] * inverse, o[m][e][2 * r + 1] * inverse);
                *reinterpret_cast<uint32_t*>(to + e * 8) = pair;
            }
            if (p.lse && lane % 4 == 0 && row < p.queries) {
                p.lse[(int64_t{w.batch} * p.heads + w.head) * p.queries + row] =
                    total == 0.0f ? minus_infinity() : (top[m][r] + log2_fast(total)) * kLn2;
            }
        }
    }
    __syncwarp();
    T* const out = at<T>(p.o, w.batch, w.head, first_row);
    const T* from = shared_q + warp_row * stride;
    const int rows = min(16 * M, p.queries - first_row);
    if (p.vectors) {
        for (int i = lane; i < rows * E; i += kWarp) {
            int row = i / E, column = i % E * 8;
            if (column < p.value_size)
                store(out + row * p.o.row_stride + column, load<8>(from + row * stride + column));
        }
    } else {
        for (int i = lane; i < rows * kHead; i += kWarp) {
            int row = i / kHead, column = i % kHead;
            if (column < p.value_size) out[row * p.o.row_stride + column] = from[row * stride + column];
        }
    }
}

}  // namespace tenon::cuda
