#pragma once

#include <cstdint>

/*
 * Scaled dot product attention, fused: the score matrix never exists in memory.
 *
 *   s[b,h,i,j] = softcap(scale * sum_d q[b,h,i,d] * k[b,h/g,j,d]) + mask[b,h,i,j]         softcap(x) = c * tanh(x / c)
 *   o[b,h,i,e] = sum_j softmax_j(s[b,h,i,j]) * v[b,h/g,j,e]                                g = heads / kv_heads
 *
 * Keys and values come in one or two pieces (past and new): key j lies in piece 1 for j < kv_length, else in piece 2 at
 * j - kv_length. Visible keys of row i: j < kv_length + kv_length2 (or kv_valid[b] if given), bool_mask != 0, and with
 * causal j <= i + offset. Keys that are not visible are not read where a whole block of them is skipped; elsewhere they
 * are read, so all of k and v must be readable.
 *
 * Layout   arbitrary strides, in elements, for batch, head and position; the last axis is dense. A [B, S, H, D] tensor
 * is {S*H*D, D, H*D}. Nothing needs alignment except scratch (64 bytes). Aliasing o must not overlap any input.
 * Numerics fp32, online softmax (Milakov & Gimelshein 2018; blocks as in Dao et al. 2022, algorithm 1); exp to 2 ulp.
 *          A row that sees no key, or whose visible scores are all -infinity, is NaN as softmax gives it, or 0 with
 *          zero_masked_rows. NaN in q, a visible k, v or the mask spreads as in the formula, except that a NaN or
 *          infinite v element of an invisible key does not.
 * Threads  the functions neither allocate nor lock nor start threads. Work items are independent; item ranges may be
 * run on any thread, each with its own scratch. Source   ONNX Attention-24.
 */
namespace tenon::cpu {

enum class AttentionCausal : int64_t {
    none = 0,
    fixed_offset = 1, /* j <= i + causal_offset */
    valid_offset = 2, /* j <= i + kv_valid[b] - q_length */
};

struct AttentionStrides {
    int64_t batch;
    int64_t head;
    int64_t position;
};

struct AttentionParams {
    int64_t batch;
    int64_t heads;    /* multiple of kv_heads */
    int64_t kv_heads; /* >= 1 */
    int64_t q_length;
    int64_t kv_length;  /* piece 1; may be 0 */
    int64_t kv_length2; /* piece 2; may be 0 */
    int64_t head_size;  /* of q and k, >= 1 */
    int64_t value_size; /* of v and o, >= 1 */

    const float* q;
    const float* k;
    const float* v;
    const float* k2; /* NULL allowed when kv_length2 is 0 */
    const float* v2;
    float* o;
    AttentionStrides q_strides;
    AttentionStrides k_strides;
    AttentionStrides v_strides;
    AttentionStrides k2_strides;
    AttentionStrides v2_strides;
    AttentionStrides o_strides;

    const float* mask;              /* added to the scores, or NULL */
    const unsigned char* bool_mask; /* 0: key not visible, or NULL; mask_strides serve both, so only one may be given */
    AttentionStrides mask_strides;  /* 0 broadcasts */
    int64_t mask_key_stride;        /* 1, or 0: one value for all keys */
    const int64_t* kv_valid;        /* [batch] visible keys, clamped to the lengths, or NULL: all */

    AttentionCausal causal;
    int64_t causal_offset;
    double scale;
    double softcap;           /* 0: none */
    int64_t zero_masked_rows; /* 1: rows without any key are 0; 0: NaN */
};

struct AttentionKernel; /* one per instruction set */

/* NULL: can be computed; else why not. */
const char* attention_unsupported(const AttentionParams& params);

/* Kernels this CPU can run, best first; the last one is "scalar". Stops at the instruction set TENON_MAX_ISA names. */
int64_t attention_kernel_count();
const AttentionKernel* attention_kernel(int64_t index);
const char* attention_kernel_name(const AttentionKernel* kernel);

/* Depends on sizes only, not on pointers: usable when the program is built. kernel NULL: the best. */
struct AttentionPlan {
    const AttentionKernel* kernel;
    int64_t items;         /* independent work items; near equal work unless causal */
    int64_t scratch_bytes; /* per thread */
    int64_t block_rows;    /* query rows of an item */
    int64_t decode;        /* 1: few rows, keys and values streamed once */
};
AttentionPlan attention_plan(const AttentionParams& params, int64_t threads, const AttentionKernel* kernel = nullptr);

/* Runs items first..last-1. scratch: plan.scratch_bytes, 64-byte aligned, not shared with a concurrent call. */
void attention_run(const AttentionPlan& plan, const AttentionParams& params, void* scratch, int64_t first,
                   int64_t last);

}  // namespace tenon::cpu
