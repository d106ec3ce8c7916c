#include "epilogue.h"

#include "../add_call.h"
#include "elementwise.h"

namespace tenon {

std::vector<tenon_post_op> parse_post_ops(const tenon_program& program, const tenon_post_op* ops, int64_t count,
                                          const Value& dst) {
    require(count >= 0 && count <= TENON_MAX_POST_OPS, "post_op_count is %lld, expected 0..%d", ll(count),
            TENON_MAX_POST_OPS);
    std::vector<tenon_post_op> result(ops, ops + count);
    for (const tenon_post_op& op : result) {
        if (op.kind == TENON_POST_ACTIVATION) {
            require(op.function >= TENON_FN_IDENTITY && op.function <= TENON_FN_LINEAR,
                    "post-op: %lld is no activation", ll(op.function));
            continue;
        }
        require(op.kind == TENON_POST_ADD || op.kind == TENON_POST_MUL, "unknown post-op kind %lld", ll(op.kind));
        const Value& operand = program.value(op.value, "post-op");
        require_dtype(operand, dst.dtype, "post-op operand");
        require(broadcasts_to(operand.dims, dst.dims), "post-op operand %s does not broadcast to %s",
                dims_text(operand.dims).c_str(), dims_text(dst.dims).c_str());
    }
    return result;
}

EltwiseAlg eltwise_alg(int64_t function, double alpha, double beta) {
    const float a = static_cast<float>(alpha), b = static_cast<float>(beta);
    switch (function) {
        case TENON_FN_RELU:
            return {dnnl_eltwise_relu, 0, 0};
        case TENON_FN_LEAKY_RELU:
            return {dnnl_eltwise_relu, a, 0};
        case TENON_FN_ELU:
            return {dnnl_eltwise_elu, a, 0};
        case TENON_FN_TANH:
            return {dnnl_eltwise_tanh, 0, 0};
        case TENON_FN_SIGMOID:
            return {dnnl_eltwise_logistic, 0, 0};
        case TENON_FN_GELU_ERF:
            return {dnnl_eltwise_gelu_erf, 0, 0};
        case TENON_FN_GELU_TANH:
            return {dnnl_eltwise_gelu_tanh, 0, 0};
        case TENON_FN_SILU:
            return {dnnl_eltwise_swish, a, 0};
        case TENON_FN_HARD_SIGMOID:
            return {dnnl_eltwise_hardsigmoid, a, b};
        case TENON_FN_HARD_SWISH:
            return {dnnl_eltwise_hardswish, a, b};
        case TENON_FN_CLIP:
            return {dnnl_eltwise_clip, a, b};
        case TENON_FN_ABS:
            return {dnnl_eltwise_abs, 0, 0};
        case TENON_FN_SQRT:
            return {dnnl_eltwise_sqrt, 0, 0};
        case TENON_FN_EXP:
            return {dnnl_eltwise_exp, 0, 0};
        case TENON_FN_MISH:
            return {dnnl_eltwise_mish, 0, 0};
        case TENON_FN_SOFTPLUS:
            return {dnnl_eltwise_soft_relu, 1, 0};
        case TENON_FN_LINEAR:
            return {dnnl_eltwise_linear, a, b};
        default:
            return {dnnl_alg_kind_undef, 0, 0};
    }
}

size_t fusable_prefix(const std::vector<tenon_post_op>& ops) {
    size_t count = 0;
    while (count < ops.size()) {
        const tenon_post_op& op = ops[count];
        if (op.kind == TENON_POST_ACTIVATION &&
            eltwise_alg(op.function, op.alpha, op.beta).kind == dnnl_alg_kind_undef) {
            break;
        }
        ++count;
    }
    return count;
}

int epilogue_target(tenon_program& program, const std::vector<tenon_post_op>& ops, size_t fused, int dst) {
    if (fused == ops.size()) return dst;
    const Value target = program.values[dst];
    return program.add_hidden_value(target.dtype, target.dims);
}

void finish_epilogue(tenon_program& program, const std::vector<tenon_post_op>& ops, size_t fused, int target, int dst) {
    if (fused == ops.size()) return;
    std::vector<int> inputs{target};
    std::vector<tenon_elementwise_op> chain;
    const size_t operand_count = 1 + std::count_if(ops.begin() + fused, ops.end(), [](const tenon_post_op& op) {
                                     return op.kind != TENON_POST_ACTIVATION;
                                 });
    int64_t current = 0;
    for (size_t i = fused; i < ops.size(); ++i) {
        const tenon_post_op& op = ops[i];
        tenon_elementwise_op next{op.function, TENON_F32, {current, 0, 0}, op.alpha, op.beta};
        if (op.kind != TENON_POST_ACTIVATION) {
            next.function = op.kind == TENON_POST_ADD ? TENON_FN_ADD : TENON_FN_MUL;
            next.operands[1] = static_cast<int64_t>(inputs.size());
            inputs.push_back(static_cast<int>(op.value));
        }
        chain.push_back(next);
        current = static_cast<int64_t>(operand_count + chain.size() - 1);
    }
    program.add_node(make_elementwise_node(program, inputs, chain, {dst}, {current}));
}

void append_reads(const std::vector<tenon_post_op>& ops, std::vector<int>& reads) {
    for (const tenon_post_op& op : ops) {
        if (op.kind != TENON_POST_ACTIVATION) reads.push_back(static_cast<int>(op.value));
    }
}

FusedPostOps::FusedPostOps() {
    dnnl_post_ops_t made = nullptr;
    check_dnnl(dnnl_post_ops_create(&made), "post_ops_create");
    ops_.reset(made);
}

void FusedPostOps::sum() {
    check_dnnl(dnnl_post_ops_append_sum(ops_.get(), 1.0f, 0, dnnl_data_type_undef), "sum");
}

void FusedPostOps::eltwise(const EltwiseAlg& alg) {
    check_dnnl(dnnl_post_ops_append_eltwise(ops_.get(), alg.kind, alg.alpha, alg.beta), "append_eltwise");
}

void FusedPostOps::binary(dnnl_alg_kind_t kind, int buffer, const MemoryDesc& desc) {
    const int index = dnnl_post_ops_len(ops_.get());
    check_dnnl(dnnl_post_ops_append_binary(ops_.get(), kind, desc.get()), "append_binary");
    operands_.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(index) | DNNL_ARG_SRC_1, buffer, false, desc});
}

void FusedPostOps::set(const Attr& attr) const {
    check_dnnl(dnnl_primitive_attr_set_post_ops(attr.get(), ops_.get()), "set_post_ops");
}

}  // namespace tenon
