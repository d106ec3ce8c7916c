#include "attention/attention.h"

#include <algorithm>
#include <cmath>

#include "attention/attention_params.h"

using namespace tenon::cuda;

namespace {

struct Kernel {
    const char* name;
    int rows, threads, shared_bytes;
};

Kernel mma_kernel(int head, bool small, bool half) {
    AttentionTile tile = attention_tile(head, small);
    static const char* const names[7][2] = {
        {"tenon_attention_mma64_bf16", "tenon_attention_mma64_f16"},
        {"tenon_attention_mma96_bf16", "tenon_attention_mma96_f16"},
        {"tenon_attention_mma128_bf16", "tenon_attention_mma128_f16"},
        {"tenon_attention_mma192_bf16", "tenon_attention_mma192_f16"},
        {"tenon_attention_mma256_bf16", "tenon_attention_mma256_f16"},
        {"tenon_attention_mma64_small_bf16", "tenon_attention_mma64_small_f16"},
        {"tenon_attention_mma128_small_bf16", "tenon_attention_mma128_small_f16"},
    };
    int name = head == 64 ? (small ? 5 : 0) : head == 96 ? 1 : head == 128 ? (small ? 6 : 2) : head == 192 ? 3 : 4;
    return {names[name][half], tile.rows, tile.threads, tile.shared_bytes};
}

Kernel plain_kernel(int64_t head) {
    AttentionPlainTile tile = attention_plain_tile(head <= 64 ? 64 : head <= 128 ? 128 : 256);
    const char* name = head <= 64    ? "tenon_attention_plain64_f32"
                       : head <= 128 ? "tenon_attention_plain128_f32"
                                     : "tenon_attention_plain256_f32";
    return {name, tile.rows, tile.threads, tile.shared_bytes};
}

}  // namespace

namespace tenon::cuda {

bool divide_attention(AttentionParams& p, const tenon_cuda_attention& a, const tenon_cuda_device& device, int rows) {
    int64_t all_heads = a.batch * a.heads, tiles = divide_up(a.queries, rows);
    if (all_heads > INT32_MAX / tiles) return false;
    // Half of L2 for the keys and values of the heads that are worked on together, and at least two blocks for every
    // multiprocessor.
    int64_t kv_bytes = std::max<int64_t>(a.keys, 1) * (a.head_size + a.value_size) * size_of_type(a.type);
    int64_t fitting = device.l2_bytes / 2 / kv_bytes * p.group;
    int64_t enough = divide_up(2 * device.multiprocessors, tiles * p.group) * p.group;
    p.section_heads = static_cast<int32_t>(std::min(std::max(fitting, enough), all_heads));
    p.all_heads = static_cast<int32_t>(all_heads);
    p.query_tiles = static_cast<int32_t>(tiles);
    return true;
}

}  // namespace tenon::cuda

int32_t tenon_cuda_attention_plan(const tenon_cuda_attention* args, const tenon_cuda_device* device,
                                  tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_attention& a = *args;
    constexpr int64_t limit = kAttentionLimit;
    const struct {
        const char* name;
        int64_t value, low, high;
    } ranges[] = {{"batch", a.batch, 0, limit},
                  {"heads", a.heads, 1, limit},
                  {"kv_heads", a.kv_heads, 1, limit},
                  {"queries", a.queries, 0, limit},
                  {"keys", a.keys, 0, limit},
                  {"head_size", a.head_size, 1, 256},
                  {"value_size", a.value_size, 1, 256},
                  {"causal", a.causal, 0, 2},
                  {"causal_offset", a.causal_offset, -limit, limit},
                  {"window", a.window, 0, limit}};
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    for (auto& r : ranges) {
        if (r.value < r.low || r.value > r.high) {
            return planner.invalid("%s is %lld; expected %lld to %lld", r.name, (long long)r.value, (long long)r.low,
                                   (long long)r.high);
        }
    }
    if (a.heads % a.kv_heads != 0) {
        return planner.invalid("heads is %lld; expected a multiple of the %lld kv_heads", (long long)a.heads,
                               (long long)a.kv_heads);
    }
    if (a.causal_offset != 0 && a.causal != TENON_CUDA_ATTENTION_CAUSAL_OFFSET) {
        return planner.invalid("causal_offset is given, but causal is not CAUSAL_OFFSET");
    }
    if (a.window != 0 && a.causal == TENON_CUDA_ATTENTION_CAUSAL_NONE) {
        return planner.invalid("window is given, but attention is not causal");
    }
    if (!(std::fabs(a.scale) < 1e38)) return planner.invalid("scale is %g; expected a magnitude below 1e38", a.scale);
    // So that its reciprocal is finite in fp32, too.
    if (a.softcap != 0 && !(a.softcap > 1e-30 && a.softcap < 1e30)) {
        return planner.invalid("softcap is %g; expected 0 or a number between 1e-30 and 1e30", a.softcap);
    }
    if (a.mask && a.mask_type != a.type && a.mask_type != TENON_CUDA_F32 && a.mask_type != TENON_CUDA_BOOL) {
        return planner.unsupported("mask_type %lld; expected the type of q, F32 or BOOL", (long long)a.mask_type);
    }
    if (a.batch == 0 || a.queries == 0) return planner.done();
    const struct {
        const char* name;
        const void* pointer;
        int64_t batch_stride, head_stride, row_stride, heads, rows, size;
        bool needed;
    } tensors[] = {
        {"q", a.q, a.q_batch_stride, a.q_head_stride, a.q_row_stride, a.heads, a.queries, a.head_size, a.keys > 0},
        {"k", a.k, a.k_batch_stride, a.k_head_stride, a.k_row_stride, a.kv_heads, a.keys, a.head_size, a.keys > 0},
        {"v", a.v, a.v_batch_stride, a.v_head_stride, a.v_row_stride, a.kv_heads, a.keys, a.value_size, a.keys > 0},
        {"o", a.o, a.o_batch_stride, a.o_head_stride, a.o_row_stride, a.heads, a.queries, a.value_size, true}};
    int64_t vector = 16 / size_of_type(a.type);
    bool vectors = true;
    for (auto& t : tensors) {
        if (t.needed && !t.pointer) return planner.invalid("%s is null", t.name);
        if (!fits(size_of_type(a.type),
                  {{a.batch, t.batch_stride}, {t.heads, t.head_stride}, {t.rows, t.row_stride}, {t.size, 1}})) {
            return planner.unsupported("%s spans more than 2^40 bytes", t.name);
        }
        vectors = vectors && aligned(t.pointer, 16) && t.batch_stride % vector == 0 && t.head_stride % vector == 0 &&
                  t.row_stride % vector == 0 && t.size % vector == 0;
    }

    constexpr double log2_e = 1.4426950408889634;
    AttentionParams p{};
    p.q = {a.q, a.q_batch_stride, a.q_head_stride, a.q_row_stride};
    p.k = {a.k, a.k_batch_stride, a.k_head_stride, a.k_row_stride};
    p.v = {a.v, a.v_batch_stride, a.v_head_stride, a.v_row_stride};
    p.o = {a.o, a.o_batch_stride, a.o_head_stride, a.o_row_stride};
    const int64_t mask_bytes = a.mask ? size_of_type(a.mask_type) : 0;
    if (!fits(mask_bytes, {{a.batch, a.mask_batch_stride},
                           {a.heads, a.mask_head_stride},
                           {a.queries, a.mask_row_stride},
                           {a.keys, 1}})) {
        return planner.unsupported("mask spans more than 2^40 bytes");
    }
    auto mask_step = [&](int64_t size, int64_t stride) { return size > 1 ? stride * mask_bytes : 0; };
    p.mask = {a.mask, mask_step(a.batch, a.mask_batch_stride), mask_step(a.heads, a.mask_head_stride),
              mask_step(a.queries, a.mask_row_stride)};
    p.mask_8_rows = p.mask.row_stride * 8;
    p.mask_bytes = static_cast<int32_t>(mask_bytes);
    p.kv_lengths = a.kv_lengths;
    p.lse = a.lse;
    p.heads = static_cast<int32_t>(a.heads);
    p.group = static_cast<int32_t>(a.heads / a.kv_heads);
    p.queries = static_cast<int32_t>(a.queries);
    p.keys = static_cast<int32_t>(a.keys);
    p.head_size = static_cast<int32_t>(a.head_size);
    p.value_size = static_cast<int32_t>(a.value_size);
    p.mask_type = static_cast<int32_t>(a.mask_type);
    p.causal = static_cast<int32_t>(a.causal);
    p.causal_offset = static_cast<int32_t>(a.causal_offset);
    p.window = static_cast<int32_t>(a.window);
    p.vectors = vectors;
    p.scale_log2 = static_cast<float>(a.scale * log2_e);
    // A scale that is 0 in fp32 is no positive one either.
    p.adjust = a.mask || a.softcap != 0 || !(p.scale_log2 > 0);
    p.softcap_scale = a.softcap != 0 ? static_cast<float>(2 * log2_e * a.scale / a.softcap) : 0.0f;
    p.softcap_log2 = static_cast<float>(a.softcap * log2_e);

    if (device->compute_capability == 90 && a.keys > 0 && plan_attention_sm90(a, *device, p, planner)) {
        return planner.done();
    }
    int64_t size = std::max(a.head_size, a.value_size);
    int64_t all_heads = a.batch * a.heads;
    Kernel kernel;
    if (a.type == TENON_CUDA_F32) {
        kernel = plain_kernel(size);
    } else {
        int head = size <= 64 ? 64 : size <= 96 ? 96 : size <= 128 ? 128 : size <= 192 ? 192 : 256;
        bool half = a.type == TENON_CUDA_F16;
        kernel = mma_kernel(head, false, half);
        bool fills = all_heads >= divide_up(device->multiprocessors, divide_up(a.queries, kernel.rows));
        if (!fills && (head == 64 || head == 128)) kernel = mma_kernel(head, true, half);
    }
    if (!divide_attention(p, a, *device, kernel.rows)) {
        return planner.unsupported("%lld heads of %lld queries: more than 2^31 - 1 blocks", (long long)all_heads,
                                   (long long)a.queries);
    }
    planner.launch(kernel.name, {all_heads * p.query_tiles}, kernel.threads, kernel.shared_bytes, p);
    return planner.done();
}
