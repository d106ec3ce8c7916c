// What the decode attention kernels share: which keys of which sequence a block takes, where they lie, logits, and the
// results of a block's warps.
#pragma once
#include "common/math.cuh"
#include "common/plan.h"
#include "common/reduce.cuh"
#include "common/vector.cuh"
#include "decode_attention/decode_attention_params.h"

namespace tenon::cuda {

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
        s = p.softcap - 2.0f * p.softcap * __fdividef(1.0f, exp2f(2.0f * kLog2E / p.softcap * s) + 1.0f);
    }
    return s * kLog2E;
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
    float inverse = 1.0f / sum;  // 0 / 0 where all logits are -infinity, as in the formula
    T* o = static_cast<T*>(p.o) + b * p.o_batch_stride + row * p.o_row_stride + head * p.o_head_stride;
    TENON_UNROLL
    for (int i = 0; i < kMaxHeadSize / kWarp; i++) {
        int d = lane_id() + kWarp * i;
        if (d < p.head_size) o[d] = from_float<T>(sees ? value(i, d) * inverse : 0.0f);
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

}  // namespace tenon::cuda
