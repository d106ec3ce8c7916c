#pragma once
#include "common/mma.cuh"
#include "common/plan.h"
#include "common/reduce.cuh"
#include "common/vector.cuh"
#include "decode_attention/decode_attention_params.h"

namespace tenon::cuda {

constexpr float kLog2e = 1.4426950408889634f;
constexpr float kLn2 = 0.6931471805599453f;

// Logits are kept times log2 e. What is subtracted from them before exp2: their maximum, but never -infinity, so that
// masked logits give exp2(-infinity) = 0.
TENON_DEVICE float exponent_base(float maximum) {
    return maximum == Max::identity() ? 0.0f : maximum;
}

// The keys of a sequence from the first that a row sees, cut into `splits` parts of `split_keys`.
struct DecodeRange {
    int32_t length, first, split_keys, splits;
};

TENON_DEVICE DecodeRange decode_range(const DecodeAttentionParams& p, int b) {
    DecodeRange r;
    r.length = min(max(p.lengths[b], 0), p.max_length);
    r.first = p.window == INT32_MAX ? 0 : max(r.length - p.rows + 1 - p.window, 0);
    int32_t keys = r.length - r.first;
    int32_t share = (keys + p.splits - 1) / p.splits;
    r.split_keys = max((share + kSplitKeys - 1) / kSplitKeys * kSplitKeys, p.min_split);
    r.splits = keys > 0 ? (keys - 1) / r.split_keys + 1 : 0;
    return r;
}

// A block's part: `row_count` query rows of one KV head, from `first_row`, and the keys [begin, end). Row r of the KV
// head is new row r / group, query head r % group.
struct DecodeBlock {
    int32_t b, split, kv_head, first_row, row_count, length, begin, end;

    // False when there is nothing to do. Blocks that store the output come back true for an empty sequence too.
    TENON_DEVICE bool start(const DecodeAttentionParams& p, int rows) {
        b = static_cast<int32_t>(blockIdx.z);
        split = static_cast<int32_t>(blockIdx.y);
        int32_t x = static_cast<int32_t>(blockIdx.x);
        kv_head = x / p.chunks;
        first_row = (x - kv_head * p.chunks) * rows;
        row_count = min(p.rows * p.group - first_row, rows);
        DecodeRange range = decode_range(p, b);
        if (split >= max(range.splits, p.splits == 1 ? 1 : 0)) return false;
        length = range.length;
        begin = range.first + split * range.split_keys;
        end = length - begin < range.split_keys ? length : begin + range.split_keys;
        return true;
    }
    // The last key that row r of the block sees; -1 or less: none.
    TENON_DEVICE int32_t last_key(const DecodeAttentionParams& p, int r) const {
        return r < row_count ? length - p.rows + (first_row + r) / p.group : -1;
    }
};

// Where the keys of a sequence are.
struct DecodePages {
    const int32_t* table;
    int32_t b, shift, mask;

    TENON_DEVICE DecodePages(const DecodeAttentionParams& p, int b)
        : table(p.block_table ? p.block_table + b * p.table_stride : nullptr),
          b(b),
          shift(p.page_shift),
          mask(static_cast<int32_t>((1u << p.page_shift) - 1)) {}
    TENON_DEVICE int32_t page(int32_t key) const { return table ? table[key >> shift] : b; }
};

// Logit times log2 e from a product of q and k.
TENON_DEVICE float decode_logit(const DecodeAttentionParams& p, float product, float scale) {
    float s = product * scale;
    // tanh(y) = 1 - 2 / (e^2y + 1), whose absolute error is what counts.
    if (p.softcap > 0.0f) {
        s = p.softcap - 2.0f * p.softcap * __fdividef(1.0f, exp2f(2.0f * kLog2e / p.softcap * s) + 1.0f);
    }
    return s * kLog2e;
}

TENON_DEVICE bool decode_sees(const DecodeAttentionParams& p, int32_t last, int32_t key) {
    return key <= last && last - key < p.window;
}

// Calls fn with a value of q's and o's type: the cache's, or, where that is f8e4m3, f16 or bf16.
template <class C, class Fn>
TENON_DEVICE void with_type(const DecodeAttentionParams& p, Fn fn) {
    if constexpr (sizeof(C) > 1) {
        fn(C{});
    } else if (p.type == TENON_CUDA_F16) {
        fn(f16{});
    } else {
        fn(bf16{});
    }
}

// Stores o and lse of one row: lanes take elements d = lane + 32 i; value(i, d) is the weighted sum of v.
template <class T, class Value>
TENON_DEVICE void decode_store(const DecodeAttentionParams& p, int32_t b, int32_t row, int32_t head, int32_t length,
                               float maximum, float sum, Value value) {
    bool sees = length - p.rows + row >= 0;
    float inverse = sees ? 1.0f / sum : 0.0f;  // 0 / 0 where all logits are -infinity, as in the formula
    T* o = static_cast<T*>(p.o) + b * p.o_batch_stride + row * p.o_row_stride + head * p.o_head_stride;
    TENON_UNROLL
    for (int i = 0; i < kMaxHeadSize / kWarp; i++) {
        int d = lane_id() + kWarp * i;
        if (d < p.head_size) o[d] = from_float<T>(value(i, d) * inverse);
    }
    if (p.lse && lane_id() == 0) {
        p.lse[(int64_t{b} * p.rows + row) * (p.kv_heads * p.group) + head] = maximum * kLn2 + logf(sum);
    }
}

// Merges what the block's warps have: sums [warps][rows][stride], maxima and weights [warps][rows].
template <class C, int rows, int stride>
TENON_DEVICE void decode_finish(const DecodeAttentionParams& p, const DecodeBlock& block, const float* sums,
                                const float* maxima, const float* weights) {
    float v_scale = p.v_scale ? p.v_scale[block.kv_head] : 1.0f;
    for (int r = warp_id(); r < block.row_count; r += kDecodeWarps) {
        float maximum = Max::identity(), weight = 0.0f, factor[kDecodeWarps];
        TENON_UNROLL
        for (int w = 0; w < kDecodeWarps; w++) maximum = Max::combine(maximum, maxima[w * rows + r]);
        TENON_UNROLL
        for (int w = 0; w < kDecodeWarps; w++) {
            factor[w] = exp2f(maxima[w * rows + r] - exponent_base(maximum));
            weight += factor[w] * weights[w * rows + r];
        }
        auto value = [&](int, int d) {
            float x = 0.0f;
            TENON_UNROLL
            for (int w = 0; w < kDecodeWarps; w++) x += factor[w] * sums[(w * rows + r) * stride + d];
            return x * v_scale;
        };
        int32_t row = (block.first_row + r) / p.group;
        int32_t head = block.kv_head * p.group + (block.first_row + r) % p.group;
        if (p.splits == 1) {
            with_type<C>(p, [&](auto zero) {
                decode_store<decltype(zero)>(p, block.b, row, head, block.length, maximum, weight, value);
            });
        } else {
            int64_t at = ((int64_t{block.b} * p.splits + block.split) * p.rows + row) * (p.kv_heads * p.group) + head;
            TENON_UNROLL
            for (int i = 0; i < kMaxHeadSize / kWarp; i++) {
                int d = lane_id() + kWarp * i;
                if (d < p.head_size) p.partial[at * p.head_size + d] = value(i, d);
            }
            if (lane_id() == 0) store(p.partial_state + 2 * at, Vec<float, 2>{{maximum, weight}});
        }
    }
}

// ---- Tensor cores ---------------------------------------------------------------------------------------------------

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

// ---- fp32 products --------------------------------------------------------------------------------------------------

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

// ---- Combining the splits -------------------------------------------------------------------------------------------

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
