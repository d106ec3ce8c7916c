// Attention on Hopper, as FlashAttention-3 has it (Shah et al. 2024): one thread brings tiles with the copy engine,
// the other warpgroups multiply them with wgmma. Each keeps 64 queries: their scores, weights and sums stay in
// registers, the weights as the A operand of the product with v. While the product of one tile's weights with v runs,
// the softmax of the next tile's scores is computed; and warpgroups take turns, so that one's softmax falls into the
// others' products. The order of consume() is that of FlashAttention-3's mainloop (hopper/
// mainloop_fwd_sm90_tma_gmma_ws.hpp, IntraWGOverlap with scheduler barriers).
#pragma once
#include "attention/attention_common.cuh"
#include "attention/attention_sm90_params.h"
#include "common/wgmma.cuh"

namespace tenon::cuda {

// In shared memory a matrix of `rows` rows lies in panels of 64 columns, each `rows` rows of 128 bytes, swizzled.
constexpr int kPanel = 64;

template <class T, int kHead>
struct AttentionSm90 {
    static constexpr AttentionSm90Tile tile = kAttentionSm90Tile<kHead>;
    static constexpr int N = tile.keys, stages = tile.stages;
    static constexpr int rows_of_lane = 2;
    // A score may exceed the maximum that its row's sums refer to by this much (log2) before they are rescaled.
    static constexpr float slack = 8.0f;
    static_assert(tile.consumers * tile.consumer_registers + tile.producer_registers <=
                      (tile.consumers + 1) * launch_registers(tile.threads),
                  "more_registers would wait for ever");
    static_assert(tile.q_bytes % 1024 == 0 && tile.kv_bytes % 1024 == 0 && N % 8 == 0,
                  "every panel starts with a pattern of the swizzle");
    static_assert(tile.shared_bytes <= 232448 && tile.rows <= 256 && N <= 256,
                  "limits of sm_90 and of the copy engine");

    const AttentionSm90Params& params;
    const AttentionParams& p;
    unsigned char *q, *k, *v;  // shared memory
    Barrier *q_full, *q_empty, *k_full, *k_empty, *v_full, *v_empty;

    // A place in a ring, and the parity of its barriers' phase.
    struct Place {
        int stage = 0, parity = 0;
        TENON_DEVICE void next() {
            if (++stage == stages) stage = 0, parity ^= 1;
        }
    };

    TENON_DEVICE AttentionSm90(const AttentionSm90Params& params, unsigned char* shared) : params(params), p(params.p) {
        q = shared;
        k = q + tile.q_bytes;
        v = k + stages * tile.kv_bytes;
        q_full = reinterpret_cast<Barrier*>(v + stages * tile.kv_bytes);
        q_empty = q_full + 1;
        k_full = q_empty + 1;
        k_empty = k_full + stages;
        v_full = k_empty + stages;
        v_empty = v_full + stages;
    }

    TENON_DEVICE void run() {
        if (threadIdx.x == 0) {
            constexpr int warps = tile.consumers * 4;
            barrier_init(q_full, 1);
            barrier_init(q_empty, warps);
            for (int i = 0; i < stages; i++) {
                barrier_init(k_full + i, 1);
                barrier_init(k_empty + i, warps);
                barrier_init(v_full + i, 1);
                barrier_init(v_empty + i, warps);
            }
            barrier_init_fence();
        }
        __syncthreads();
        if (threadIdx.x < 128) {
            fewer_registers<tile.producer_registers>();
            if (threadIdx.x == 0) produce();
        } else {
            more_registers<tile.consumer_registers>();
            consume();
        }
    }

    // ---- The thread that copies -------------------------------------------------------------------------------------

    TENON_DEVICE void copy(unsigned char* to, const TensorMap* map, Barrier* full, int rows, int row, int head,
                           int batch) {
        barrier_arrive_expect(full, rows * kHead * 2);
        TENON_UNROLL
        for (int c = 0; c < kHead; c += kPanel) {
            bulk_load(to + c * rows * 2, map, full, c, row, head, batch);
        }
    }

    TENON_DEVICE void produce() {
        prefetch(&params.q);
        prefetch(&params.k);
        prefetch(&params.v);
        Place place;
        int q_parity = 0;
        for (uint32_t block = blockIdx.x; block < params.blocks; block += gridDim.x) {
            const AttentionWork w = attention_work<tile.rows, N>(p, block);
            if (w.tiles == 0) continue;

            barrier_wait(q_empty, q_parity ^ 1);
            q_parity ^= 1;
            copy(q, &params.q, q_full, tile.rows, w.row0, w.head, w.batch);
            for (int t = 0; t < w.tiles; t++, place.next()) {
                const int i = place.stage, row = w.key_begin + t * N;
                barrier_wait(k_empty + i, place.parity ^ 1);
                copy(k + i * tile.kv_bytes, &params.k, k_full + i, N, row, w.kv_head, w.batch);
                barrier_wait(v_empty + i, place.parity ^ 1);
                copy(v + i * tile.kv_bytes, &params.v, v_full + i, N, row, w.kv_head, w.batch);
            }
        }
    }

    // ---- The warpgroups that compute --------------------------------------------------------------------------------

    // What a thread has of its warpgroup's rows: accumulators as wgmma leaves them, of the rows `row` and `row` + 8.
    struct Rows {
        float s[N / 2], o[kHead / 2];
        uint32_t weights[N / 4];
        float top[2], sum[2];  // what the sums refer to (log2 of the weight 1); this lane's part of the weights' sum
        float rescale[2];
        bool grown;
    };

    // A warp has read what the barrier guards.
    static TENON_DEVICE void release(Barrier* empty) {
        if (lane_id() == 0) barrier_arrive(empty);
    }

    // s = q k^T, as a group of its own.
    static TENON_DEVICE void multiply_keys(Rows& r, const unsigned char* q_rows, const unsigned char* keys) {
        const uint64_t a = matrix_descriptor(q_rows, 16, 1024), b = matrix_descriptor(keys, 16, 1024);
        wgmma_fence(r.s);
        TENON_UNROLL
        for (int d = 0; d < kHead; d += 16) {
            int panel = d / kPanel * 128, column = d % kPanel * 2;
            wgmma<T>(r.s, advance(a, panel * tile.rows + column), advance(b, panel * N + column), d > 0);
        }
        wgmma_commit();
    }

    // o += weights v, as a group of its own.
    static TENON_DEVICE void multiply_values(Rows& r, const unsigned char* values) {
        const uint64_t b = matrix_descriptor(values, N * 128, 1024);
        wgmma_fence(r.o, r.weights);
        TENON_UNROLL
        for (int key = 0; key < N; key += 16) wgmma<T>(r.o, r.weights + key / 4, advance(b, key * 128));
        wgmma_commit();
    }

    // From scores to unrounded weights, in place. row0: the warpgroup's first; row: this lane's.
    TENON_DEVICE void softmax(Rows& r, const AttentionWork& w, int row0, int row, int key0) {
        if (key0 + N > end_key(w, row0) || key0 < first_key(p, w, row0 + 63)) {
            TENON_UNROLL
            for (int h = 0; h < 2; h++) {
                int at = key0 + lane_id() % 4 * 2;
                int begin = first_key(p, w, row + 8 * h) - at, end = end_key(w, row + 8 * h) - at;
                TENON_UNROLL
                for (int n = 0; n < N / 8; n++) {
                    TENON_UNROLL
                    for (int i = 0; i < 2; i++) {
                        if (n * 8 + i < begin || n * 8 + i >= end) r.s[n * 4 + 2 * h + i] = minus_infinity();
                    }
                }
            }
        }
        float factor = p.scale_log2, tile_top[2];
        bool grown = false;
        TENON_UNROLL
        for (int h = 0; h < 2; h++) {
            float x = minus_infinity();
            TENON_UNROLL
            for (int n = 0; n < N / 8; n++) x = fmaxf(x, fmaxf(r.s[n * 4 + 2 * h], r.s[n * 4 + 2 * h + 1]));
            x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, 1));
            x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, 2));
            tile_top[h] = x * factor;
            // Beyond 2^20 the product of score and factor must not be fused with the subtraction: the rounding of top
            // would be a weight of its own.
            grown = grown || tile_top[h] > r.top[h] + slack || fabsf(tile_top[h]) > 0x1p20f;
        }
        r.grown = __any_sync(kAllLanes, grown);
        if (r.grown) {
            TENON_UNROLL
            for (int h = 0; h < 2; h++) {
                float higher = fmaxf(r.top[h], tile_top[h]);
                r.rescale[h] = higher == minus_infinity() ? 1.0f : exp2_fast(r.top[h] - higher);
                r.top[h] = higher;
                r.sum[h] *= r.rescale[h];
            }
            TENON_UNROLL
            for (int i = 0; i < N / 2; i++) r.s[i] = __fmul_rn(r.s[i], factor);
            factor = 1.0f;
        }
        TENON_UNROLL
        for (int h = 0; h < 2; h++) {
            float reference = r.top[h] == minus_infinity() ? 0.0f : r.top[h];
            TENON_UNROLL
            for (int n = 0; n < N / 8; n++) {
                float &a = r.s[n * 4 + 2 * h], &b = r.s[n * 4 + 2 * h + 1];
                a = exp2_fast(fmaf(a, factor, -reference));
                b = exp2_fast(fmaf(b, factor, -reference));
                r.sum[h] += a + b;
            }
        }
    }

    // Rounds the weights, and makes the sums refer to the same maximum.
    static TENON_DEVICE void take_weights(Rows& r) {
        TENON_UNROLL
        for (int i = 0; i < N / 4; i++) r.weights[i] = Pack<T>::from(r.s[2 * i], r.s[2 * i + 1]);
        if (r.grown) {
            TENON_UNROLL
            for (int i = 0; i < kHead / 2; i++) r.o[i] *= r.rescale[i / 2 % 2];
        }
    }

    TENON_DEVICE void consume() {
        const int group = static_cast<int>(threadIdx.x) / 128 - 1, thread = static_cast<int>(threadIdx.x) % 128;
        const int turn = 1 + group, next_turn = 1 + (group + 1) % tile.consumers;  // named barriers
        const unsigned char* const q_rows = q + group * 64 * 128;
        if (tile.take_turns && group == tile.consumers - 1) named_barrier_arrive(1, 256);

        Place place;
        int q_parity = 0;
        for (uint32_t block = blockIdx.x; block < params.blocks; block += gridDim.x) {
            const AttentionWork w = attention_work<tile.rows, N>(p, block);
            const int row0 = w.row0 + group * 64, row = row0 + thread / 32 * 16 + thread % 32 / 4;
            Rows r;
            TENON_UNROLL
            for (int i = 0; i < kHead / 2; i++) r.o[i] = 0.0f;
            r.top[0] = r.top[1] = minus_infinity();
            r.sum[0] = r.sum[1] = 0.0f;
            if (w.tiles > 0) {
                barrier_wait(q_full, q_parity);
                q_parity ^= 1;
                barrier_wait(k_full + place.stage, place.parity);
                multiply_keys(r, q_rows, k + place.stage * tile.kv_bytes);
                wgmma_wait<0>(r.s);
                release(k_empty + place.stage);
                softmax(r, w, row0, row, w.key_begin);
                take_weights(r);
                for (int t = 1; t < w.tiles; t++) {
                    const Place last = place;
                    place.next();
                    barrier_wait(k_full + place.stage, place.parity);
                    if (tile.take_turns) named_barrier_wait(turn, 256);
                    multiply_keys(r, q_rows, k + place.stage * tile.kv_bytes);
                    barrier_wait(v_full + last.stage, last.parity);
                    multiply_values(r, v + last.stage * tile.kv_bytes);
                    if (tile.take_turns) named_barrier_arrive(next_turn, 256);
                    wgmma_wait<1>(r.s);
                    release(k_empty + place.stage);
                    softmax(r, w, row0, row, w.key_begin + t * N);
                    wgmma_wait<0>(r.o, r.weights);
                    release(v_empty + last.stage);
                    take_weights(r);
                }
                release(q_empty);
                barrier_wait(v_full + place.stage, place.parity);
                clear_hidden_values(w, v + place.stage * tile.kv_bytes);
                multiply_values(r, v + place.stage * tile.kv_bytes);
                wgmma_wait<0>(r.o, r.weights);
                release(v_empty + place.stage);
                place.next();
            }
            store_rows(r, w, row);
        }
        if (tile.take_turns && group == 0) named_barrier_wait(1, 256);
    }

    // Values beyond the length may be anything, and 0 * NaN is NaN: they become 0. Only the last tile has some.
    TENON_DEVICE void clear_hidden_values(const AttentionWork& w, unsigned char* values) {
        const int valid = w.length - w.key_begin - (w.tiles - 1) * N;
        if (w.length == p.keys || valid >= N) return;
        for (int i = static_cast<int>(threadIdx.x) - 128; i < (N - valid) * (kHead / 8); i += tile.consumers * 128) {
            int chunk = i % (kHead / 8), key = valid + i / (kHead / 8);
            store(reinterpret_cast<uint32_t*>(values + (chunk / 8 * N + key) * 128 + chunk % 8 * 16),
                  Vec<uint32_t, 4>{});
        }
        async_proxy_fence();
        named_barrier_wait(8, tile.consumers * 128);
    }

    TENON_DEVICE void store_rows(Rows& r, const AttentionWork& w, int row) {
        const int lane = lane_id() % 4;
        TENON_UNROLL
        for (int h = 0; h < 2; h++) {
            float total = r.sum[h];
            total += __shfl_xor_sync(kAllLanes, total, 1);
            total += __shfl_xor_sync(kAllLanes, total, 2);
            const float inverse = reciprocal_fast(total);
            const bool valid = row + 8 * h < p.queries;
            T* const to = at<T>(p.o, w.batch, w.head, row + 8 * h);
            TENON_UNROLL
            for (int e = 0; e < kHead / 8; e += 4) {
                // Lane l of a quad has columns 2l and 2l + 1 of four groups of 8; it gets all of group l.
                uint32_t x[4];
                TENON_UNROLL
                for (int i = 0; i < 4; i++) {
                    const float* pair = r.o + (e + i) * 4 + 2 * h;
                    x[i] = total == 0.0f ? 0u : Pack<T>::from(pair[0] * inverse, pair[1] * inverse);
                }
                TENON_UNROLL
                for (int bit = 1; bit <= 2; bit *= 2) {
                    TENON_UNROLL
                    for (int i = 0; i < 4; i++) {
                        if (i & bit) continue;
                        uint32_t got = __shfl_xor_sync(kAllLanes, lane & bit ? x[i] : x[i + bit], bit);
                        (lane & bit ? x[i] : x[i + bit]) = got;
                    }
                }
                const int column = (e + lane) * 8;
                if (valid && column < p.value_size) {
                    store(reinterpret_cast<uint32_t*>(to + column), Vec<uint32_t, 4>{x[0], x[1], x[2], x[3]});
                }
            }
            if (p.lse && lane == 0 && valid) {
                p.lse[(int64_t{w.batch} * p.heads + w.head) * p.queries + row + 8 * h] =
                    total == 0.0f ? minus_infinity() : r.top[h] * kLn2 + logf(total);
            }
        }
    }
};

}  // namespace tenon::cuda
