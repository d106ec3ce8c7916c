// Fused attention on strided views.
#include "attention/attention.h"

#include <atomic>

#include "../add_call.h"
#include "../lowering.h"

namespace tenon {
namespace {

using cpu::AttentionParams;

cpu::AttentionStrides strides_of(const int64_t* s) {
    return {s[0], s[1], s[2]};
}

AttentionParams sizes_of(const tenon_attention_params& a) {
    AttentionParams p{};
    p.batch = a.batch;
    p.heads = a.heads;
    p.kv_heads = a.kv_heads;
    p.q_length = a.q_length;
    p.kv_length = a.kv_length;
    p.head_size = a.head_size;
    p.value_size = a.value_head_size;
    p.q_strides = strides_of(a.q_strides);
    p.k_strides = strides_of(a.k_strides);
    p.v_strides = strides_of(a.v_strides);
    p.o_strides = strides_of(a.dst_strides);
    p.mask_strides = strides_of(a.mask_strides);
    p.mask_key_stride = a.mask_strides[3];
    p.causal = a.causal != 0 ? cpu::AttentionCausal::fixed_offset : cpu::AttentionCausal::none;
    p.causal_offset = a.causal_offset;
    p.scale = a.scale;
    p.softcap = a.softcap;
    p.zero_masked_rows = 1;
    return p;
}

class AttentionNode final : public Node {
  public:
    AttentionNode(const tenon_attention_params& a, bool bool_mask, std::vector<int> reads)
        : Node("attention", std::move(reads), {static_cast<int>(a.dst)}), params_(a), bool_mask_(bool_mask) {}

    void lower(Lowering& l) const override {
        AttentionParams params = sizes_of(params_);
        const int64_t work = 2 * params.batch * params.heads * params.q_length * params.kv_length *
                             (params.head_size + params.value_size);
        const int threads = l.threads_for(static_cast<double>(work), 0);
        const cpu::AttentionPlan plan = cpu::attention_plan(params, threads, l.engine().isa());
        const bool masked = params_.mask >= 0;
        std::vector<Operand> operands;
        for (int r : reads) operands.push_back({l.plain(r), false});
        const size_t dst = operands.size();
        operands.push_back({l.define(writes[0]), true});
        const int64_t scratch = (plan.scratch_bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
        operands.push_back({l.scratch(std::max<int64_t>(scratch, kCacheLine) * threads), true});
        const tenon_attention_params a = params_;
        const bool bool_mask = bool_mask_;
        l.add_kernel(operands, threads, work, std::string("tenon_attention:") + cpu::isa_name(plan.isa),
                     [=](void* const* p, tenon_error*) {
                         AttentionParams now = params;
                         now.q = static_cast<const float*>(p[0]) + a.q_offset;
                         now.k = static_cast<const float*>(p[1]) + a.k_offset;
                         now.v = static_cast<const float*>(p[2]) + a.v_offset;
                         if (masked && bool_mask) now.bool_mask = static_cast<const unsigned char*>(p[3]);
                         if (masked && !bool_mask) now.mask = static_cast<const float*>(p[3]);
                         now.o = static_cast<float*>(p[dst]);
                         float* room = static_cast<float*>(p[dst + 1]);
                         std::atomic<int64_t> next{0};
                         run_items(threads, plan, now, room, scratch / 4, &next);
                         return TENON_OK;
                     });
    }

  private:
    // Items of causal attention differ in work, so threads take them one by one.
    static void run_items(int threads, const cpu::AttentionPlan& plan, const AttentionParams& params, float* room,
                          int64_t scratch_floats, std::atomic<int64_t>* next) {
        if (threads == 1) {
            cpu::attention_run(plan, params, room, 0, plan.items);
            return;
        }
#pragma omp parallel num_threads(threads)
        {
            float* mine = room + scratch_floats * omp_get_thread_num();
            for (int64_t i = (*next)++; i < plan.items; i = (*next)++) cpu::attention_run(plan, params, mine, i, i + 1);
        }
    }

    const tenon_attention_params params_;
    const bool bool_mask_;
};

// Last element of a strided view must lie in its value.
void check_view(const Value& v, const char* what, int64_t offset, const int64_t* strides, int64_t batch, int64_t heads,
                int64_t length, int64_t size) {
    require_dtype(v, TENON_F32, what);
    const bool valid = offset >= 0 && strides[0] >= 0 && strides[1] >= 0 && strides[2] >= 0;
    const int64_t last =
        offset + (batch - 1) * strides[0] + (heads - 1) * strides[1] + (length - 1) * strides[2] + size - 1;
    require(valid && last < v.elements, "%s %s is too small for its strides %lld, %lld, %lld", what,
            dims_text(v.dims).c_str(), ll(strides[0]), ll(strides[1]), ll(strides[2]));
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" tenon_status tenon_program_add_attention(tenon_program* program, const char* name,
                                                    const tenon_attention_params* params, tenon_error* err) {
    return add_call(program, name, params, "attention", err, [](tenon_program& p, const tenon_attention_params& a) {
        require(a.batch >= 1 && a.heads >= 1 && a.kv_heads >= 1 && a.heads % a.kv_heads == 0 && a.q_length >= 1 &&
                    a.kv_length >= 1 && a.head_size >= 1 && a.value_head_size >= 1,
                "sizes must be positive and kv_heads divide heads");
        check_view(p.value(a.q, "q"), "q", a.q_offset, a.q_strides, a.batch, a.heads, a.q_length, a.head_size);
        check_view(p.value(a.k, "k"), "k", a.k_offset, a.k_strides, a.batch, a.kv_heads, a.kv_length, a.head_size);
        check_view(p.value(a.v, "v"), "v", a.v_offset, a.v_strides, a.batch, a.kv_heads, a.kv_length,
                   a.value_head_size);
        check_view(p.value(a.dst, "dst"), "dst", 0, a.dst_strides, a.batch, a.heads, a.q_length, a.value_head_size);
        std::vector<int> reads{static_cast<int>(a.q), static_cast<int>(a.k), static_cast<int>(a.v)};
        bool bool_mask = false;
        if (a.mask >= 0) {
            const Value& mask = p.value(a.mask, "mask");
            require_supported(mask.dtype == TENON_F32 || mask.dtype == TENON_BOOL, "mask is %s",
                              dtype_name(mask.dtype));
            bool_mask = mask.dtype == TENON_BOOL;
            require(a.mask_strides[3] == 0 || a.mask_strides[3] == 1, "mask key stride %lld", ll(a.mask_strides[3]));
            const int64_t last = (a.batch - 1) * a.mask_strides[0] + (a.heads - 1) * a.mask_strides[1] +
                                 (a.q_length - 1) * a.mask_strides[2] + (a.kv_length - 1) * a.mask_strides[3];
            require(last >= 0 && last < mask.elements, "mask %s is too small for its strides",
                    dims_text(mask.dims).c_str());
            reads.push_back(static_cast<int>(a.mask));
        }
        const char* why = cpu::attention_unsupported(sizes_of(a));
        require_supported(why == nullptr, "%s", why);
        p.add_node(std::make_unique<AttentionNode>(a, bool_mask, std::move(reads)));
    });
}
