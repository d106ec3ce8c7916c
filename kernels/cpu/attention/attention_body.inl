// The algorithm of attention.h, once for all instruction sets.
//
// The query heads that share a key head are one list of rows, row r being position r % q_length of head r / q_length of
// the group. A work item is a range of these rows. For each block of keys: scores of a row tile (up to kTileRows rows),
// mask, running maximum, exponentials, and their product with the values, while the tile's scores are in the
// first-level cache.
//
// With many rows the keys are transposed and the values copied into panels, once per block and item (prefill). With few
// rows both are used where they are, read once at the speed of memory (decode).

#include "../gemm/gemm_tile.inl"
#include "attention_variants.h"

namespace tenon::cpu::TENON_ISA {
namespace {

constexpr int64_t kCachedFloats = (16 << 20) / 4;
constexpr float kMinusInfinity = -__builtin_inff();

TENON_INLINE int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}
TENON_INLINE int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}
TENON_INLINE int64_t blocks_of_16(int64_t n) {
    return (n + 15) / 16;
}

// Consecutive keys and values of one piece.
struct KeyBlock {
    int64_t first;  // index among all keys
    int64_t count;
    const float* keys;
    const float* values;
    int64_t key_stride;
    int64_t value_stride;
};

class Item {
  public:
    Item(const AttentionPlan& plan, const AttentionParams& params, float* scratch)
        : plan_(plan),
          p_(params),
          at_(attention_scratch(plan.block_rows, params.head_size, params.value_size)),
          scratch_(scratch),
          group_(params.heads / params.kv_heads),
          from_memory_(params.batch * params.kv_heads * (params.kv_length + params.kv_length2) >
                       kCachedFloats / (params.head_size + params.value_size)) {}

    void run(int64_t item) {
        const int64_t rows = group_ * p_.q_length;
        const int64_t row_blocks = (rows + plan_.block_rows - 1) / plan_.block_rows;
        const int64_t block = item % row_blocks;
        kv_head_ = item / row_blocks % p_.kv_heads;
        batch_ = item / row_blocks / p_.kv_heads;
        // Row blocks of near equal height.
        const int64_t low = rows / row_blocks, raised = rows % row_blocks;
        first_row_ = block * low + smaller(block, raised);
        rows_ = low + (block < raised ? 1 : 0);

        const int64_t total = p_.kv_length + p_.kv_length2;
        keys_ = p_.kv_valid == nullptr ? total : larger(0, smaller(total, p_.kv_valid[batch_]));
        constexpr int64_t kFar = int64_t{1} << 60;
        const int64_t offset = p_.causal == AttentionCausal::valid_offset ? keys_ - p_.q_length : p_.causal_offset;
        causal_offset_ = p_.causal == AttentionCausal::none ? kFar : larger(-kFar, smaller(kFar, offset));

        pack_queries();
        for (int64_t r = 0; r < rows_; ++r) {
            scratch_[at_.maxima + r] = kMinusInfinity;
            store(scratch_ + at_.sums + r * 16, set1(0.0f));
        }
        const int64_t visible = limit_of_rows(0, rows_);
        run_piece(visible, 0, p_.kv_length, p_.k, p_.v, p_.k_strides, p_.v_strides);
        run_piece(visible, p_.kv_length, p_.kv_length2, p_.k2, p_.v2, p_.k2_strides, p_.v2_strides);
        write_outputs();
    }

  private:
    struct Row {
        int64_t head, position;
    };
    Row row(int64_t index) const {
        const int64_t r = first_row_ + index;
        return {kv_head_ * group_ + r / p_.q_length, r % p_.q_length};
    }
    // Keys before this one are visible to the row, masks aside.
    int64_t limit(int64_t index) const { return larger(0, smaller(keys_, row(index).position + causal_offset_ + 1)); }
    int64_t limit_of_rows(int64_t first, int64_t count) const {
        int64_t most = 0;
        for (int64_t r = first; r < first + count; ++r) most = larger(most, limit(r));
        return most;
    }

    void pack_queries() {
        const float scale = static_cast<float>(p_.scale);
        const RowTiles tiles(rows_);
        const int64_t head_blocks = blocks_of_16(p_.head_size);
        for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t first = tiles.first(t), count = tiles.rows(t);
            float* out = scratch_ + at_.queries + first * head_blocks * 16;
            for (int64_t r = 0; r < count; ++r) {
                const Row at = row(first + r);
                const float* q = p_.q + batch_ * p_.q_strides.batch + at.head * p_.q_strides.head +
                                 at.position * p_.q_strides.position;
                for (int64_t d = 0; d < head_blocks; ++d) {
                    const F32x16 x = load_first(q + d * 16, smaller(16, p_.head_size - d * 16));
                    store(out + (d * count + r) * 16, mul(x, set1(scale)));
                }
            }
        }
    }

    void run_piece(int64_t visible, int64_t begin, int64_t length, const float* keys, const float* values,
                   const AttentionStrides& key_strides, const AttentionStrides& value_strides) {
        const int64_t end = smaller(length, visible - begin);
        for (int64_t j = 0; j < end; j += kAttentionBlockKeys) {
            KeyBlock block;
            block.first = begin + j;
            block.count = smaller(kAttentionBlockKeys, end - j);
            block.key_stride = key_strides.position;
            block.value_stride = value_strides.position;
            block.keys = keys + batch_ * key_strides.batch + kv_head_ * key_strides.head + j * block.key_stride;
            block.values =
                values + batch_ * value_strides.batch + kv_head_ * value_strides.head + j * block.value_stride;
            run_block(block);
        }
    }

    void run_block(const KeyBlock& block) {
        // A product reads whole vectors of a row of values, so rows that do not end with one are copied.
        const bool copy_values = plan_.decode == 0 || p_.value_size % 16 != 0;
        if (plan_.decode == 0) pack_keys(block);
        if (copy_values) pack_values(block);

        const int64_t head = blocks_of_16(p_.head_size) * 16, value = blocks_of_16(p_.value_size) * 16;
        float* scores = scratch_ + at_.scores;
        const RowTiles tiles(rows_);
        for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t first = tiles.first(t), rows = tiles.rows(t);
            const int64_t count = smaller(block.count, limit_of_rows(first, rows) - block.first);
            if (count <= 0) continue;
            const float* queries = scratch_ + at_.queries + first * head;
            if (plan_.decode != 0) {
                score_few(block, queries, rows, count, scores);
            } else {
                for (int64_t j = 0; j < count; j += 32) {
                    gemm_panel(rows, count - j > 16 ? 2 : 1, queries, scratch_ + at_.keys + j * p_.head_size, 32,
                               p_.head_size, scores + j * rows, nullptr);
                }
            }
            alignas(64) float correction[16];
            exponentials(block.first, count, first, rows, scores, correction);

            float* outputs = scratch_ + at_.outputs + first * value;
            const float* scale = block.first == 0 ? nullptr : correction;
            if (copy_values) {
                for (int64_t e = 0; e < value; e += 32) {
                    const int64_t width = smaller(32, value - e);
                    gemm_panel(rows, width / 16, scores, scratch_ + at_.values + e * kAttentionBlockKeys, width, count,
                               outputs + e * rows, scale);
                }
            } else {
                add_values_in_place(block, count, rows, scores, outputs, scale);
            }
        }
    }

    // All of a few rows of values, then the next ones, so that memory is read in order.
    void add_values_in_place(const KeyBlock& block, int64_t count, int64_t rows, const float* scores, float* outputs,
                             const float* scale) {
        constexpr int64_t kKeys = 32;
        alignas(64) static constexpr float kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        for (int64_t j = 0; j < count; j += kKeys) {
            const int64_t keys = smaller(kKeys, count - j);
            const float* weights = scores + j * rows;
            const float* values = block.values + j * block.value_stride;
            const float* factors = j == 0 ? scale : kOnes;
            int64_t e = 0;
            if (rows <= kWideRows) {
                for (; e + 64 <= p_.value_size; e += 64) {
                    kWideTiles[rows - 1](weights, values + e, block.value_stride, keys, outputs + e * rows, factors);
                }
            }
            for (; e < p_.value_size; e += 32) {
                gemm_panel(rows, smaller(32, p_.value_size - e) / 16, weights, values + e, block.value_stride, keys,
                           outputs + e * rows, factors);
            }
        }
    }

    // Panels of 32 keys, transposed; keys past the block are 0.
    void pack_keys(const KeyBlock& block) {
        for (int64_t j = 0; j < block.count; j += 16) {
            float* out = scratch_ + at_.keys + j / 32 * 32 * p_.head_size + j % 32;
            const int64_t present = smaller(16, block.count - j);
            for (int64_t d = 0; d < p_.head_size; d += 16) {
                const int64_t lanes = smaller(16, p_.head_size - d);
                const float* from = block.keys + j * block.key_stride + d;
                F32x16 square[16];
                if (present == 16 && lanes == 16) {
#pragma GCC unroll 16
                    for (int i = 0; i < 16; ++i) square[i] = load(from + i * block.key_stride);
                } else {
                    for (int64_t i = 0; i < 16; ++i) {
                        square[i] = i < present ? load_first(from + i * block.key_stride, lanes) : set1(0.0f);
                    }
                }
                transpose(square);
                if (lanes == 16) {
#pragma GCC unroll 16
                    for (int i = 0; i < 16; ++i) store(out + (d + i) * 32, square[i]);
                } else {
                    for (int64_t i = 0; i < lanes; ++i) store(out + (d + i) * 32, square[i]);
                }
            }
        }
    }

    // Panels of 32 columns, the last one of 16 if that is enough.
    void pack_values(const KeyBlock& block) {
        const int64_t value = blocks_of_16(p_.value_size) * 16;
        for (int64_t e = 0; e < value; e += 16) {
            const int64_t width = smaller(32, value - e / 32 * 32), lanes = smaller(16, p_.value_size - e);
            float* out = scratch_ + at_.values + e / 32 * 32 * kAttentionBlockKeys + e % 32;
            const float* from = block.values + e;
            if (lanes == 16) {
                for (int64_t j = 0; j < block.count; ++j) store(out + j * width, load(from + j * block.value_stride));
            } else {
                for (int64_t j = 0; j < block.count; ++j) {
                    store(out + j * width, load_first(from + j * block.value_stride, lanes));
                }
            }
        }
    }

    // Rows that lie far apart are not foreseen by the processor: of the keys soon to be scored, and of the values
    // needed when the block is scored. Addresses past the end do no harm.
    static TENON_INLINE void prefetch(const float* rows, int64_t stride, int64_t size) {
        for (int64_t i = 0; i < 4; ++i, rows += stride) {
            for (int64_t d = 0; d < size; d += 16) __builtin_prefetch(rows + d);
        }
    }

    // Scores by dot products along the rows of keys, four keys at a time; the partial sums of 16 keys are added up
    // together.
    void score_few(const KeyBlock& block, const float* queries, int64_t rows, int64_t count, float* scores) {
        float* partial = scratch_ + at_.keys;
        const int64_t whole = p_.head_size / 16, lanes = p_.head_size % 16;
        for (int64_t j = 0; j < count; j += 16) {
            const int64_t present = smaller(16, count - j);
            for (int64_t i = 0; i < present; i += 4) {
                // Keys past the last one are the last one again; their scores are not used.
                const int64_t last = present - 1;
                const float* base = block.keys + j * block.key_stride;
                const float* k0 = base + i * block.key_stride;
                const float* k1 = base + smaller(i + 1, last) * block.key_stride;
                const float* k2 = base + smaller(i + 2, last) * block.key_stride;
                const float* k3 = base + smaller(i + 3, last) * block.key_stride;
                if (from_memory_) {
                    prefetch(k0 + 16 * block.key_stride, block.key_stride, p_.head_size);
                    prefetch(block.values + (j + i) * block.value_stride, block.value_stride, p_.value_size);
                }
                for (int64_t r = 0; r < rows; ++r) {
                    F32x16 s0 = set1(0.0f), s1 = s0, s2 = s0, s3 = s0;
                    for (int64_t d = 0; d < whole; ++d) {
                        const F32x16 q = load(queries + (d * rows + r) * 16);
                        s0 = fma(q, load(k0 + d * 16), s0);
                        s1 = fma(q, load(k1 + d * 16), s1);
                        s2 = fma(q, load(k2 + d * 16), s2);
                        s3 = fma(q, load(k3 + d * 16), s3);
                    }
                    if (lanes != 0) {
                        const F32x16 q = load(queries + (whole * rows + r) * 16);
                        s0 = fma(q, load_first(k0 + whole * 16, lanes), s0);
                        s1 = fma(q, load_first(k1 + whole * 16, lanes), s1);
                        s2 = fma(q, load_first(k2 + whole * 16, lanes), s2);
                        s3 = fma(q, load_first(k3 + whole * 16, lanes), s3);
                    }
                    float* out = partial + (r * 16 + i) * 16;
                    store(out, s0);
                    store(out + 16, s1);
                    store(out + 32, s2);
                    store(out + 48, s3);
                }
            }
            for (int64_t r = 0; r < rows; ++r) {
                store(scores + (j * rows + r * 16), sums_of_16(partial + r * 256));
            }
        }
    }

    // Scores of `rows` rows from `first_row` on and `count` keys from `first_key` on become exponentials relative to
    // the rows' new maxima. correction: factor that earlier sums need because of them.
    void exponentials(int64_t first_key, int64_t count, int64_t first_row, int64_t rows, float* scores,
                      float* correction) {
        const int64_t vectors = blocks_of_16(count);
        float* maxima = scratch_ + at_.maxima + first_row;
        alignas(64) float shift[16] = {};
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t seen = smaller(count, limit(first_row + r) - first_key);
            if (p_.softcap > 0 || p_.mask != nullptr || p_.bool_mask != nullptr) {
                adjust(row(first_row + r), first_key, count, rows, scores + r * 16);
            }
            F32x16 most = set1(kMinusInfinity);
            for (int64_t v = 0; v < vectors; ++v) {
                float* at = scores + (v * rows + r) * 16;
                F32x16 x = load(at);
                if (seen < (v + 1) * 16) {
                    x = keep_first(x, larger(0, seen - v * 16), set1(kMinusInfinity));
                    store(at, x);
                }
                most = max(x, most);
            }
            const float before = maxima[r], block_most = largest(most);
            const float now = block_most > before ? block_most : before;
            // The first maximum corrects nothing; -infinity minus itself would be NaN.
            shift[r] = before == kMinusInfinity ? kMinusInfinity : before - now;
            maxima[r] = now;
        }
        store(correction, exp_of_nonpositive(load(shift)));
        for (int64_t r = 0; r < rows; ++r) {
            const F32x16 most = set1(maxima[r] == kMinusInfinity ? 0.0f : maxima[r]);
            float* at = scores + r * 16;
            F32x16 sum = set1(0.0f);
            for (int64_t v = 0; v < vectors; ++v, at += rows * 16) {
                const F32x16 e = exp_of_nonpositive(sub(load(at), most));
                store(at, e);
                sum = add(sum, e);
            }
            float* sums = scratch_ + at_.sums + (first_row + r) * 16;
            store(sums, fma(load(sums), set1(correction[r]), sum));
        }
    }

    // Softcap and masks of one row.
    void adjust(const Row& at, int64_t first_key, int64_t count, int64_t rows, float* scores) {
        const int64_t mask_offset = batch_ * p_.mask_strides.batch + at.head * p_.mask_strides.head +
                                    at.position * p_.mask_strides.position + first_key * p_.mask_key_stride;
        const float cap = static_cast<float>(p_.softcap);
        for (int64_t j = 0; j < count; j += 16, scores += rows * 16) {
            F32x16 x = load(scores);
            if (cap > 0) {
                // tanh(|y|) = (1 - e) / (1 + e) with e = exp(-2 |y|)
                const F32x16 e = exp_of_nonpositive(mul(abs(x), set1(-2.0f / cap)));
                const F32x16 size = div(sub(set1(1.0f), e), add(set1(1.0f), e));
                x = with_sign_of(mul(size, set1(cap)), x);
            }
            const int64_t lanes = smaller(16, count - j);
            if (p_.mask != nullptr) {
                const float* mask = p_.mask + mask_offset;
                const F32x16 m = p_.mask_key_stride == 0 ? set1(*mask) : load_first(mask + j, lanes);
                x = add(x, m);
            }
            if (p_.bool_mask != nullptr) {
                const unsigned char* mask = p_.bool_mask + mask_offset;
                if (p_.mask_key_stride == 0) {
                    if (*mask == 0) x = set1(kMinusInfinity);
                } else {
                    x = keep_flagged(x, mask + j, lanes, set1(kMinusInfinity));
                }
            }
            store(scores, x);
        }
    }

    void write_outputs() {
        const RowTiles tiles(rows_);
        const int64_t value_blocks = blocks_of_16(p_.value_size);
        for (int64_t t = 0; t < tiles.count; ++t) {
            const int64_t first = tiles.first(t), count = tiles.rows(t);
            // Without any visible key for the whole tile, nothing was written to its outputs.
            const bool computed = limit_of_rows(first, count) > 0;
            const float* outputs = scratch_ + at_.outputs + first * value_blocks * 16;
            for (int64_t r = 0; r < count; ++r) {
                const Row at = row(first + r);
                float* o = p_.o + batch_ * p_.o_strides.batch + at.head * p_.o_strides.head +
                           at.position * p_.o_strides.position;
                const float total = sum(load(scratch_ + at_.sums + (first + r) * 16));
                const bool empty = total == 0;
                const F32x16 nothing = set1(p_.zero_masked_rows != 0 ? 0.0f : __builtin_nanf(""));
                const F32x16 factor = set1(1.0f / (empty ? 1.0f : total));
                for (int64_t e = 0; e < value_blocks; ++e) {
                    F32x16 x = nothing;
                    if (computed && !empty) x = mul(load(outputs + (e * count + r) * 16), factor);
                    store_first(o + e * 16, x, smaller(16, p_.value_size - e * 16));
                }
            }
        }
    }

    const AttentionPlan& plan_;
    const AttentionParams& p_;
    const AttentionScratch at_;
    float* const scratch_;
    const int64_t group_;
    const bool from_memory_;  // keys and values are too many for the caches

    int64_t batch_ = 0, kv_head_ = 0;
    int64_t first_row_ = 0, rows_ = 0;
    int64_t keys_ = 0;           // visible ones of this batch entry
    int64_t causal_offset_ = 0;  // far when not causal
};

}  // namespace

void attention_run_items(const AttentionPlan& plan, const AttentionParams& params, float* scratch, int64_t first,
                         int64_t last) {
    Item item(plan, params, scratch);
    for (int64_t i = first; i < last; ++i) item.run(i);
}

}  // namespace tenon::cpu::TENON_ISA
