// Elementwise chains, casts, and the choice of the layout they run in.
#include "elementwise/elementwise.h"

#include <atomic>

#include "../add_call.h"
#include "../lowering.h"
#include "elementwise.h"

namespace tenon {
namespace {

using cpu::ElementwiseChain;
using cpu::ElementwiseProgram;
using cpu::ElementwiseShape;

void fail_compile(cpu::ElementwiseStatus status, const char* why, int32_t bad_op) {
    fail(status == cpu::ElementwiseStatus::bad_chain ? TENON_INVALID_ARGUMENT : TENON_UNSUPPORTED, "operation %d: %s",
         bad_op, why != nullptr ? why : "no kernel");
}

// Element strides of a row-major value of dims `small` walked over dims `big`.
Dims broadcast_strides(const Dims& small, const Dims& big) {
    const Dims dims = with_rank(small, big.size());
    Dims strides = row_major_strides(dims);
    for (size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] == 1) strides[i] = 0;
    }
    return strides;
}

// Functions that map zeros to zero, so that padding elements stay zero.
bool keeps_zero(const tenon_elementwise_op& op, const std::vector<bool>& zero) {
    const auto is_zero = [&](int i) { return zero[op.operands[i]]; };
    switch (op.function) {
        case TENON_FN_IDENTITY:
        case TENON_FN_ABS:
        case TENON_FN_NEG:
        case TENON_FN_SIGN:
        case TENON_FN_SQRT:
        case TENON_FN_TANH:
        case TENON_FN_ERF:
        case TENON_FN_RELU:
        case TENON_FN_LEAKY_RELU:
        case TENON_FN_ELU:
        case TENON_FN_SELU:
        case TENON_FN_CELU:
        case TENON_FN_HARD_SWISH:
        case TENON_FN_SILU:
        case TENON_FN_SOFTSIGN:
        case TENON_FN_MISH:
        case TENON_FN_GELU_ERF:
        case TENON_FN_GELU_TANH:
            return is_zero(0);
        case TENON_FN_CLIP:
            return is_zero(0) && op.alpha <= 0 && op.beta >= 0;
        case TENON_FN_ADD:
        case TENON_FN_SUB:
        case TENON_FN_MUL:
        case TENON_FN_MIN:
        case TENON_FN_MAX:
            return is_zero(0) && is_zero(1);
        default:
            return false;
    }
}

class ElementwiseNode final : public Node {
  public:
    ElementwiseNode(const ElementwiseChain& chain, std::vector<tenon_elementwise_op> ops, std::vector<int> inputs,
                    std::vector<int> outputs)
        : Node("elementwise", std::move(inputs), std::move(outputs)), chain_(chain), ops_(std::move(ops)) {}

    void lower(Lowering& l) const override;

  private:
    // Physical dims of the layout to run in; desc empty: row-major.
    struct Domain {
        MemoryDesc desc;
        std::vector<PhysicalDim> dims;
    };
    bool fits(Lowering& l, const MemoryDesc& desc, Domain* out) const;
    Domain choose(Lowering& l) const;
    bool full(Lowering& l, int input) const { return l.value(input).dims == l.value(writes[0]).dims; }

    const ElementwiseChain chain_;
    const std::vector<tenon_elementwise_op> ops_;
};

bool ElementwiseNode::fits(Lowering& l, const MemoryDesc& desc, Domain* out) const {
    const auto physical = desc.physical();
    if (!physical) return false;
    for (int w : writes) {
        if (l.value(w).dtype != TENON_F32) return false;
    }
    std::vector<bool> zero;
    for (int r : reads) {
        const Value& v = l.value(r);
        if (full(l, r) && v.dtype != TENON_F32) return false;
        zero.push_back(full(l, r));
        // A broadcast operand has no padding to walk over.
        if (desc.padded() && !full(l, r) && v.elements != 1) return false;
    }
    if (desc.padded()) {
        for (const tenon_elementwise_op& op : ops_) zero.push_back(keeps_zero(op, zero));
        for (int i = 0; i < chain_.output_count; ++i) {
            if (!zero[chain_.output_operands[i]]) return false;
        }
    }
    *out = {desc, *physical};
    return out->dims.size() <= cpu::kElementwiseMaxRank;
}

ElementwiseNode::Domain ElementwiseNode::choose(Lowering& l) const {
    for (int r : reads) {
        if (!full(l, r) || l.value(r).dtype != TENON_F32 || l.has_plain(r)) continue;
        Domain domain;
        if (fits(l, l.preferred_desc(r), &domain)) return domain;
    }
    Domain plain;
    const Dims& dims = l.value(writes[0]).dims;
    const Dims strides = row_major_strides(dims);
    for (size_t i = 0; i < dims.size(); ++i) plain.dims.push_back({static_cast<int>(i), dims[i], 1, strides[i]});
    return plain;
}

void ElementwiseNode::lower(Lowering& l) const {
    const Domain domain = choose(l);
    ElementwiseShape shape{};
    shape.rank = static_cast<int32_t>(domain.dims.size());
    for (size_t i = 0; i < domain.dims.size(); ++i) shape.dims[i] = domain.dims[i].size;

    std::vector<Operand> operands;
    for (size_t r = 0; r < reads.size(); ++r) {
        const bool same_layout = full(l, reads[r]) && domain.desc;
        operands.push_back({same_layout ? l.as(reads[r], domain.desc) : l.plain(reads[r]), false});
        const Dims strides = broadcast_strides(l.value(reads[r]).dims, l.value(writes[0]).dims);
        for (size_t i = 0; i < domain.dims.size(); ++i) {
            const PhysicalDim& d = domain.dims[i];
            shape.strides[r][i] = same_layout ? d.stride : strides[d.axis] * d.logical;
        }
    }
    ElementwiseProgram program{};
    const char* why = nullptr;
    int32_t bad_op = -1;
    const auto status = cpu::elementwise_compile(chain_, shape, l.engine().isa(), &program, &why, &bad_op);
    if (status != cpu::ElementwiseStatus::ok) fail_compile(status, why, bad_op);

    std::vector<bool> taken(reads.size(), false);
    for (size_t w = 0; w < writes.size(); ++w) {
        int buffer = -1;
        for (size_t r = 0; r < reads.size() && buffer < 0; ++r) {
            const bool possible = !taken[r] && full(l, reads[r]) &&
                                  dtype_bytes(l.value(reads[r]).dtype) == dtype_bytes(l.value(writes[w]).dtype) &&
                                  cpu::elementwise_may_alias(program, static_cast<int32_t>(w), static_cast<int32_t>(r));
            if (!possible) continue;
            buffer = l.define_over(writes[w], reads[r], operands[r].buffer, domain.desc);
            taken[r] = buffer >= 0;
        }
        if (buffer < 0) buffer = domain.desc ? l.define(writes[w], domain.desc) : l.define(writes[w]);
        operands.push_back({buffer, true});
    }
    const int threads = l.threads_for_ns(program.ns_per_element * static_cast<double>(program.elements));
    const size_t inputs = reads.size();
    const bool division = std::any_of(ops_.begin(), ops_.end(), [](const tenon_elementwise_op& op) {
        return op.dtype != TENON_F32 && (op.function >= TENON_FN_DIV && op.function <= TENON_FN_FMOD);
    });
    l.add_kernel(operands, threads, static_cast<int64_t>(ops_.size()) * program.elements,
                 std::string("tenon:") + cpu::isa_name(program.isa),
                 [program, threads, inputs, division](void* const* p, tenon_error* err) -> tenon_status {
                     std::atomic<uint32_t> flags{0};
                     parallel_ranges(threads, program.elements, 1024, [&](int64_t begin, int64_t end) {
                         const uint32_t seen = cpu::elementwise_run(program, p, p + inputs, begin, end);
                         if (seen != 0) flags |= seen;
                     });
                     if (division && (flags & cpu::kElementwiseDivisionByZero) != 0) {
                         return report(err, TENON_DIVISION_BY_ZERO, "integer division by zero");
                     }
                     return TENON_OK;
                 });
}

}  // namespace

std::unique_ptr<Node> make_elementwise_node(const tenon_program& program, const std::vector<int>& inputs,
                                            const std::vector<tenon_elementwise_op>& ops,
                                            const std::vector<int>& outputs,
                                            const std::vector<int64_t>& output_operands) {
    require_supported(inputs.size() <= cpu::kElementwiseMaxInputs && ops.size() <= cpu::kElementwiseMaxOps &&
                          outputs.size() <= cpu::kElementwiseMaxOutputs,
                      "%zu inputs, %zu operations, %zu outputs; at most %d, %d, %d are possible", inputs.size(),
                      ops.size(), outputs.size(), cpu::kElementwiseMaxInputs, cpu::kElementwiseMaxOps,
                      cpu::kElementwiseMaxOutputs);
    require(!outputs.empty(), "no output");
    const Dims& dims = program.values[outputs[0]].dims;
    ElementwiseChain chain{};
    ElementwiseShape shape{};
    shape.rank = static_cast<int32_t>(dims.size());
    std::copy(dims.begin(), dims.end(), shape.dims);
    chain.input_count = static_cast<int32_t>(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
        const Value& v = program.values[inputs[i]];
        require(broadcasts_to(v.dims, dims), "input %zu %s does not broadcast to %s", i, dims_text(v.dims).c_str(),
                dims_text(dims).c_str());
        chain.input_types[i] = static_cast<cpu::ElementType>(v.dtype);
        const Dims strides = broadcast_strides(v.dims, dims);
        std::copy(strides.begin(), strides.end(), shape.strides[i]);
    }
    chain.op_count = static_cast<int32_t>(ops.size());
    for (size_t i = 0; i < ops.size(); ++i) {
        const tenon_elementwise_op& op = ops[i];
        cpu::ElementwiseOp& to = chain.ops[i];
        to.function = static_cast<cpu::Function>(op.function);
        to.type = static_cast<cpu::ElementType>(op.dtype);
        for (int k = 0; k < 3; ++k) {
            require(op.operands[k] >= 0 && op.operands[k] <= static_cast<int64_t>(inputs.size() + i),
                    "operation %zu: operand %lld", i, ll(op.operands[k]));
            to.operands[k] = static_cast<int32_t>(op.operands[k]);
        }
        to.alpha = op.alpha;
        to.beta = op.beta;
    }
    chain.output_count = static_cast<int32_t>(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
        const int64_t operand = output_operands[i];
        require(operand >= 0 && operand < static_cast<int64_t>(inputs.size() + ops.size()), "output %zu: operand %lld",
                i, ll(operand));
        const int64_t type = operand < static_cast<int64_t>(inputs.size()) ? program.values[inputs[operand]].dtype
                                                                           : ops[operand - inputs.size()].dtype;
        require(program.values[outputs[i]].dims == dims, "outputs have different dims");
        require(program.values[outputs[i]].dtype == type, "output %zu is %s, the operation gives %s", i,
                dtype_name(program.values[outputs[i]].dtype), dtype_name(type));
        chain.output_operands[i] = static_cast<int32_t>(operand);
    }
    ElementwiseProgram compiled{};
    const char* why = nullptr;
    int32_t bad_op = -1;
    const auto status = cpu::elementwise_compile(chain, shape, program.engine.isa(), &compiled, &why, &bad_op);
    if (status != cpu::ElementwiseStatus::ok) fail_compile(status, why, bad_op);
    return std::make_unique<ElementwiseNode>(chain, ops, inputs, outputs);
}

}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_elementwise(tenon_program* program, const char* name,
                                           const tenon_elementwise_params* params, tenon_error* err) {
    return add_call(program, name, params, "elementwise", err, [](tenon_program& p, const tenon_elementwise_params& a) {
        require(a.input_count >= 0 && a.op_count >= 0 && a.output_count >= 0, "negative count");
        require((a.input_count == 0 || a.inputs != nullptr) && (a.op_count == 0 || a.ops != nullptr) &&
                    (a.output_count == 0 || (a.outputs != nullptr && a.output_operands != nullptr)),
                "an array is NULL");
        std::vector<int> inputs, outputs;
        for (int64_t i = 0; i < a.input_count; ++i) {
            p.value(a.inputs[i], "input");
            inputs.push_back(static_cast<int>(a.inputs[i]));
        }
        for (int64_t i = 0; i < a.output_count; ++i) {
            p.value(a.outputs[i], "output");
            outputs.push_back(static_cast<int>(a.outputs[i]));
        }
        p.add_node(make_elementwise_node(p, inputs, {a.ops, a.ops + a.op_count}, outputs,
                                         {a.output_operands, a.output_operands + a.output_count}));
    });
}

tenon_status tenon_program_add_cast(tenon_program* program, const char* name, const tenon_unary_params* params,
                                    tenon_error* err) {
    return add_call(program, name, params, "cast", err, [](tenon_program& p, const tenon_unary_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require(src.dims == dst.dims, "src is %s, dst %s", dims_text(src.dims).c_str(), dims_text(dst.dims).c_str());
        const tenon_elementwise_op op{
            src.dtype == dst.dtype ? TENON_FN_IDENTITY : TENON_FN_CAST, dst.dtype, {0, 0, 0}, 0, 0};
        p.add_node(make_elementwise_node(p, {static_cast<int>(a.src)}, {op}, {static_cast<int>(a.dst)}, {1}));
    });
}
}
