#include "attention.h"

#include <math.h>

#include "attention_variants.h"

namespace tenon::cpu {
namespace {

// Up to here reading the keys takes longer than multiplying row by row, and packing them would cost more than it saves.
constexpr int64_t kDecodeRows = 8;
// Rows of an item that make packing the keys cheap beside the products, and the most that stay in the near cache.
constexpr int64_t kFewRows = 56, kMostRows = 336;

bool all_at_least(int64_t least, const AttentionParams& p) {
    return p.batch >= least && p.heads >= least && p.q_length >= least && p.kv_length >= least && p.kv_length2 >= least;
}

}  // namespace

const char* attention_unsupported(const AttentionParams& p) {
    constexpr int64_t kMax = int64_t{1} << 40, kMaxHead = 1 << 16;
    if (!all_at_least(0, p)) return "sizes must not be negative";
    if (p.kv_heads < 1) return "there must be a key head";
    if (p.heads % p.kv_heads != 0) return "the number of query heads must be a multiple of that of key heads";
    if (p.batch > kMax || p.heads > kMax || p.q_length > kMax || p.kv_length > kMax || p.kv_length2 > kMax) {
        return "a size is above 2^40";
    }
    if (p.head_size < 1 || p.value_size < 1) return "head sizes must be at least 1";
    if (p.head_size > kMaxHead || p.value_size > kMaxHead) return "a head size is above 65536";
    int64_t rows;
    if (__builtin_mul_overflow(p.batch, p.heads, &rows) || __builtin_mul_overflow(rows, p.q_length, &rows)) {
        return "there are too many rows";
    }
    if (p.mask != nullptr && p.bool_mask != nullptr) return "only one mask may be given";
    if (p.mask_key_stride != 0 && p.mask_key_stride != 1) return "the mask must be dense or constant along the keys";
    if (p.causal == AttentionCausal::valid_offset && p.kv_valid == nullptr) {
        return "a causal offset from the visible keys needs their number";
    }
    if (!isfinite(p.scale)) return "scale must be finite";
    if (!isfinite(p.softcap) || p.softcap < 0) return "softcap must be finite and not negative";
    return nullptr;
}

AttentionPlan attention_plan(const AttentionParams& p, int64_t threads, Isa max_isa) {
    AttentionPlan plan{};
    plan.isa = best_isa(max_isa);
#define TENON_KERNEL(name) \
    if (plan.run == nullptr && plan.isa >= Isa::name) plan.run = name::attention_run_items;
#include "attention.inc"

    const int64_t rows = p.heads / p.kv_heads * p.q_length, groups = p.batch * p.kv_heads;
    if (rows == 0 || groups == 0) return plan;
    plan.decode = rows <= kDecodeRows ? 1 : 0;
    // A few items per thread even out the work; blocks are not cut below kFewRows for that.
    constexpr int64_t kItemsPerThread = 4;
    const int64_t wanted = (threads * kItemsPerThread + groups - 1) / groups;
    int64_t blocks = (rows + kMostRows - 1) / kMostRows;
    if (blocks < wanted) {
        const int64_t most = rows / kFewRows > 1 ? rows / kFewRows : 1;
        blocks = wanted < most ? wanted : blocks > most ? blocks : most;
    }
    plan.block_rows = (rows + blocks - 1) / blocks;
    plan.items = groups * ((rows + plan.block_rows - 1) / plan.block_rows);
    plan.scratch_bytes =
        attention_scratch(plan.block_rows, p.head_size, p.value_size).end * static_cast<int64_t>(sizeof(float));
    return plan;
}

}  // namespace tenon::cpu
