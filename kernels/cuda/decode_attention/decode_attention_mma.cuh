// Decode attention on tensor cores, for 16-bit types and f8e4m3 caches.
#pragma once
#include "common/mma.cuh"
#include "decode_attention/decode_attention_common.cuh"

namespace tenon::cuda {

template <bool condition, class A, class B>
struct Choose {
    using type = A;
};
template <class A, class B>
struct Choose<false, A, B> {
    using type = B;
};

// Eight elements of the cache as four pairs of 16-bit values.
struct Eight {
    uint32_t pair[4];
};
TENON_DEVICE Eight eight(const Vec<uint32_t, 4>& raw) {
    return {{raw.v[0], raw.v[1], raw.v[2], raw.v[3]}};
}
TENON_DEVICE Eight eight(const Vec<uint32_t, 2>& raw) {
    Eight r;
    TENON_UNROLL
    for (int i = 0; i < 4; i++) r.pair[i] = f16_pair(static_cast<uint16_t>(raw.v[i / 2] >> (16 * (i % 2))));
    return r;
}

// Products of 16 keys with 8 * query_tiles query rows: the keys are the rows of mma's A, the queries the columns of B,
// so that a few queries waste little. Both products read the cache from device memory straight into A's registers: the
// order of the summed dimension and of the output's rows is free, so a lane takes 8 neighbouring elements of a key
// where mma's layout has 4 pairs that lie apart. Each warp works on its own keys; the next ones are under way while it
// does.
template <class C, int D, int query_tiles>
TENON_DEVICE void decode_attention_mma(const DecodeAttentionParams& p) {
    using M = typename Choose<sizeof(C) == 1, f16, C>::type;
    using Raw = Vec<uint32_t, static_cast<int>(2 * sizeof(C))>;
    constexpr int rows = 8 * query_tiles, stride = D + 2;
    constexpr int tiles = D * sizeof(C) <= 128 ? 2 : 1;  // of 16 keys, at a time
    constexpr int step = kDecodeWarps * tiles * 16;
    // Whether the registers hold the next K and V at the same time, or K and V in turn.
    constexpr bool early_v = D * sizeof(C) <= 256;
    TENON_SHARED(uint32_t, q, [query_tiles][D / 32][kWarp][4]);
    TENON_SHARED(float, sums, [kDecodeWarps * rows * stride]);
    TENON_SHARED(float, maxima, [kDecodeWarps * rows]);
    TENON_SHARED(float, weights, [kDecodeWarps * rows]);

    DecodeBlock block;
    if (!block.start(p, rows)) return;
    const DecodePages pages(p, block.b);
    const C* k_head = static_cast<const C*>(p.k) + block.kv_head * p.k_head_stride;
    const C* v_head = static_cast<const C*>(p.v) + block.kv_head * p.v_head_stride;
    const int lane = lane_id(), g = lane / 4, t = lane % 4;

    // Keys past the end read the last one instead: always there, and masked later.
    auto key_at = [&](int32_t first, int i) { return min(first + i, block.end - 1); };
    int32_t page[tiles] = {};  // of key lane % 16 of each tile
    auto load_pages = [&](int32_t first) {
        TENON_UNROLL
        for (int i = 0; i < tiles; i++) page[i] = pages.page(key_at(first, 16 * i + lane % 16));
    };
    auto read = [&](const C* head, int64_t page_stride, int64_t token_stride, int32_t first, int tile, int key,
                    auto&& to, int first_element, int elements) {
        int32_t in_page = key_at(first, 16 * tile + key) & pages.mask;
        const C* from = head + __shfl_sync(kAllLanes, page[tile], key) * page_stride + in_page * token_stride;
        TENON_UNROLL
        for (int c = 0; c * elements < D; c++) {
            int d = c * elements + first_element;
            to[c] = Raw{};
            if (d < p.head_size)
                to[c] = load_once<static_cast<int>(2 * sizeof(C))>(reinterpret_cast<const uint32_t*>(from + d));
        }
    };
    Raw k[tiles][2][D / 32];  // keys g, g + 8; elements 32 c + 8 t ...
    auto load_k = [&](int32_t first) {
        TENON_UNROLL
        for (int i = 0; i < tiles; i++) {
            TENON_UNROLL
            for (int half = 0; half < 2; half++)
                read(k_head, p.k_page_stride, p.k_token_stride, first, i, g + 8 * half, k[i][half], 8 * t, 32);
        }
    };
    Raw v[tiles][4][D / 64];  // keys 2 t, 2 t + 1, 2 t + 8, 2 t + 9; elements 64 c + 8 g ...
    auto load_v = [&](int32_t first) {
        TENON_UNROLL
        for (int i = 0; i < tiles; i++) {
            TENON_UNROLL
            for (int j = 0; j < 4; j++)
                read(v_head, p.v_page_stride, p.v_token_stride, first, i, 2 * t + j % 2 + j / 2 * 8, v[i][j], 8 * g,
                     64);
        }
    };

    // All warps take as many steps; where one has no key left, it reads the last one and masks it.
    int32_t first = block.begin + warp_id() * tiles * 16;
    if (block.begin < block.end) {
        load_pages(first);
        load_k(first);
        if (early_v) {
            load_v(first);
            load_pages(first + step);
        }
    }

    // B of the first product, as the lanes of every warp want it: row 8 n + g, elements 32 c + 8 t ...
    for (int i = static_cast<int>(threadIdx.x); i < query_tiles * D; i += kDecodeThreads) {
        int n = i / D, r = 8 * n + i % kWarp / 4, row = block.first_row + r, d = i % D / kWarp * 32 + i % 4 * 8;
        int64_t at = block.b * p.q_batch_stride + row / p.group * p.q_row_stride +
                     (block.kv_head * p.group + row % p.group) * p.q_head_stride + d;
        float x[8];
        with_type<C>(p, [&](auto zero) {
            TENON_UNROLL
            for (int e = 0; e < 8; e++) {
                x[e] = r < block.row_count && d < p.head_size
                           ? to_float(static_cast<const decltype(zero)*>(p.q)[at + e])
                           : 0.0f;
            }
        });
        store(&q[n][i % D / kWarp][i % kWarp][0],
              Vec<uint32_t, 4>{{Pack<M>::from(x[0], x[1]), Pack<M>::from(x[2], x[3]), Pack<M>::from(x[4], x[5]),
                                Pack<M>::from(x[6], x[7])}});
    }
    __syncthreads();
    // This lane's columns of the logits: query rows 8 n + 2 t + c.
    int32_t last[query_tiles][2];
    float maximum[query_tiles][2], weight[query_tiles][2];
    TENON_UNROLL
    for (int n = 0; n < query_tiles; n++) {
        TENON_UNROLL
        for (int c = 0; c < 2; c++) {
            last[n][c] = min(block.last_key(p, 8 * n + 2 * t + c), block.end - 1);
            maximum[n][c] = Max::identity();
            weight[n][c] = 0.0f;
        }
    }
    const float scale = p.k_scale ? p.scale * p.k_scale[block.kv_head] : p.scale;
    float o[D / 64][4][query_tiles][4] = {};  // elements 64 h + 8 g + 2 j (0, 1) and the next (2, 3); columns as above

    for (int32_t start = block.begin; start < block.end; start += step, first += step) {
        __syncwarp();                         // or the compiler keeps q in registers, which the loads under way need
        float s[tiles][query_tiles][4] = {};  // keys g (0, 1) and g + 8 (2, 3)
        TENON_UNROLL
        for (int i = 0; i < tiles; i++) {
            TENON_UNROLL
            for (int c = 0; c < D / 32; c++) {
                Eight low = eight(k[i][0][c]), high = eight(k[i][1][c]);
                TENON_UNROLL
                for (int n = 0; n < query_tiles; n++) {
                    Vec<uint32_t, 4> b = load<4>(&q[n][c][lane][0]);
                    TENON_UNROLL
                    for (int j = 0; j < 4; j += 2) {
                        mma_m16n8k16<M>(s[i][n], {low.pair[j], high.pair[j], low.pair[j + 1], high.pair[j + 1]},
                                        {b.v[j], b.v[j + 1]});
                    }
                }
            }
        }
        bool more = start + step < block.end;
        if (early_v) {
            if (more) load_k(first + step);
        } else {
            load_v(first);
            load_pages(first + step);
        }

        uint32_t weights_of[tiles][query_tiles][2];  // B of the second product
        TENON_UNROLL
        for (int n = 0; n < query_tiles; n++) {
            TENON_UNROLL
            for (int c = 0; c < 2; c++) {
                float largest = maximum[n][c];
                TENON_UNROLL
                for (int i = 0; i < 2 * tiles; i++) {
                    int32_t key = first + 8 * i + g;
                    float& x = s[i / 2][n][i % 2 * 2 + c];
                    x = decode_sees(p, last[n][c], key) ? decode_logit(p, x, scale) : Max::identity();
                    largest = Max::combine(largest, x);
                }
                TENON_UNROLL
                for (int lanes = 4; lanes < kWarp; lanes *= 2)
                    largest = Max::combine(largest, __shfl_xor_sync(kAllLanes, largest, lanes));
                float base = exponent_base(largest), factor = exp2f(maximum[n][c] - base);
                maximum[n][c] = largest;
                weight[n][c] *= factor;
                TENON_UNROLL
                for (int i = 0; i < 2 * tiles; i++) {
                    float& x = s[i / 2][n][i % 2 * 2 + c];
                    x = exp2f(x - base);
                    weight[n][c] += x;
                }
                TENON_UNROLL
                for (int h = 0; h < D / 64; h++) {
                    TENON_UNROLL
                    for (int j = 0; j < 4; j++) o[h][j][n][c] *= factor, o[h][j][n][2 + c] *= factor;
                }
            }
            TENON_UNROLL
            for (int i = 0; i < 2 * tiles; i++) {
                const float* x = &s[i / 2][n][i % 2 * 2];
                weights_of[i / 2][n][i % 2] = transpose_8x8(Pack<M>::from(x[0], x[1]));
            }
        }

        TENON_UNROLL
        for (int i = 0; i < tiles; i++) {
            TENON_UNROLL
            for (int h = 0; h < D / 64; h++) {
                Eight e[4] = {eight(v[i][0][h]), eight(v[i][1][h]), eight(v[i][2][h]), eight(v[i][3][h])};
                TENON_UNROLL
                for (int j = 0; j < 4; j++) {
                    uint32_t a[4];
                    TENON_UNROLL
                    for (int m = 0; m < 2; m++) {
                        uint32_t even = e[2 * m].pair[j], odd = e[2 * m + 1].pair[j];
                        a[2 * m] = (even & 0xffffu) | odd << 16;
                        a[2 * m + 1] = even >> 16 | (odd & 0xffff0000u);
                    }
                    TENON_UNROLL
                    for (int n = 0; n < query_tiles; n++) mma_m16n8k16<M>(o[h][j][n], a, weights_of[i][n]);
                }
            }
        }
        if (more) {
            if (early_v) {
                load_v(first + step);
                load_pages(first + 2 * step);
            } else {
                load_k(first + step);
            }
        }
    }

    TENON_UNROLL
    for (int n = 0; n < query_tiles; n++) {
        TENON_UNROLL
        for (int c = 0; c < 2; c++) {
            TENON_UNROLL
            for (int lanes = 4; lanes < kWarp; lanes *= 2)
                weight[n][c] += __shfl_xor_sync(kAllLanes, weight[n][c], lanes);
            int r = warp_id() * rows + 8 * n + 2 * t + c;
            if (g == 0) maxima[r] = maximum[n][c], weights[r] = weight[n][c];
            TENON_UNROLL
            for (int i = 0; i < D / 16; i++) {
                store(&sums[r * stride + i / 4 * 64 + 8 * g + i % 4 * 2],
                      Vec<float, 2>{{o[i / 4][i % 4][n][c], o[i / 4][i % 4][n][2 + c]}});
            }
        }
    }
    __syncthreads();
    decode_finish<C, rows, stride>(p, block, sums, maxima, weights);
}

}  // namespace tenon::cuda
