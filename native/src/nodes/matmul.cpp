// Matrix products: few rows with constant weights by Tenon's own kernel, the others by oneDNN.
#include <algorithm>

#include "../add_call.h"
#include "../lowering.h"
#include "epilogue.h"
#include "gemv/gemv.h"

namespace tenon {
namespace {

struct MatmulShape {
    int a, b, bias, dst;
    bool transpose_a, transpose_b;
    double alpha, beta;
};

// Strides of a matrix stack of these dims, its last two axes swapped if asked.
struct Stack {
    Dims dims, strides;
    Stack(const Dims& lie, bool transpose) : dims(lie), strides(row_major_strides(lie)) {
        if (!transpose) return;
        std::swap(dims[dims.size() - 1], dims[dims.size() - 2]);
        std::swap(strides[strides.size() - 1], strides[strides.size() - 2]);
    }
    int64_t rows() const { return dims[dims.size() - 2]; }
    int64_t cols() const { return dims[dims.size() - 1]; }
    void drop_leading(size_t rank) {
        while (dims.size() > rank) {
            dims.erase(dims.begin());
            strides.erase(strides.begin());
        }
    }
    void lead_with_ones(size_t rank) {
        while (dims.size() < rank) {
            strides.insert(strides.begin(), dims[0] * strides[0]);
            dims.insert(dims.begin(), 1);
        }
    }
};

int64_t leading(const Dims& dims) {
    return product(Dims(dims.begin(), dims.end() - 2));
}

class MatmulNode final : public Node {
  public:
    MatmulNode(const MatmulShape& shape, std::vector<tenon_post_op> ops, std::vector<int> reads)
        : Node("matmul", std::move(reads), {shape.dst}), shape_(shape), ops_(std::move(ops)) {}

    void lower(Lowering& l) const override;

  private:
    // All of it as one product of two matrices.
    bool flat(Lowering& l) const;
    bool try_gemv(Lowering& l, int64_t m, int64_t k, int64_t n) const;
    void lower_onednn(Lowering& l, bool flat) const;
    bool is_row_vector(const Dims& dims, int64_t n) const {
        return product(dims) == n && !dims.empty() && dims.back() == n;
    }

    const MatmulShape shape_;
    const std::vector<tenon_post_op> ops_;
};

bool MatmulNode::flat(Lowering& l) const {
    const Dims& a = l.value(shape_.a).dims;
    const Dims& dst = l.value(shape_.dst).dims;
    if (leading(l.value(shape_.b).dims) != 1 || (shape_.transpose_a && leading(a) != 1)) return false;
    const auto flattens = [&](int v) {
        const Dims& dims = l.value(v).dims;
        return product(dims) == 1 || dims == dst || is_row_vector(dims, dst.back());
    };
    if (shape_.bias >= 0 && !flattens(shape_.bias)) return false;
    return std::all_of(ops_.begin(), ops_.end(), [&](const tenon_post_op& op) {
        return op.kind == TENON_POST_ACTIVATION || flattens(static_cast<int>(op.value));
    });
}

void MatmulNode::lower(Lowering& l) const {
    const bool one_product = flat(l);
    if (one_product) {
        const Stack b(l.value(shape_.b).dims, shape_.transpose_b);
        const int64_t m = l.value(shape_.dst).elements / b.cols();
        if (m <= cpu::kGemvMaxRows && l.value(shape_.b).role == TENON_ROLE_CONSTANT && !shape_.transpose_a &&
            try_gemv(l, m, b.rows(), b.cols())) {
            return;
        }
    }
    lower_onednn(l, one_product);
}

// The panels of cpu::gemv_pack are what oneDNN calls BA16a64b when K is a multiple of 16, so both can share them.
MemoryDesc panel_desc(int64_t k, int64_t n) {
    return MemoryDesc::tagged({k, n}, dnnl_BA16a64b);
}

bool MatmulNode::try_gemv(Lowering& l, int64_t m, int64_t k, int64_t n) const {
    const cpu::GemvKernels& kernels = cpu::select_gemv(l.engine().isa());
    cpu::GemvParams params{};
    params.activation = cpu::Function::identity;
    int residual = -1;
    for (size_t i = 0; i < ops_.size(); ++i) {
        const tenon_post_op& op = ops_[i];
        if (op.kind == TENON_POST_ADD && residual < 0 && i == 0 &&
            l.value(static_cast<int>(op.value)).elements == m * n) {
            residual = static_cast<int>(op.value);
        } else if (op.kind == TENON_POST_ACTIVATION && i + 1 == ops_.size() &&
                   kernels.supported(static_cast<cpu::Function>(op.function))) {
            params.activation = static_cast<cpu::Function>(op.function);
            params.alpha = static_cast<float>(op.alpha);
            params.beta = static_cast<float>(op.beta);
        } else {
            return false;
        }
    }
    const bool vector_bias = shape_.bias < 0 || (l.value(shape_.bias).elements == n && (n > 1 || m == 1));
    if (shape_.alpha != 1 || shape_.beta != 1 || !vector_bias ||
        (m == 1 && shape_.bias >= 0 && residual == shape_.bias)) {
        return false;
    }
    params.m = m;
    params.k = k;
    params.n = n;
    params.x_stride = k;
    params.residual_stride = params.y_stride = n;

    const int64_t panels = (n + cpu::kGemvPanel - 1) / cpu::kGemvPanel;
    const double bytes = static_cast<double>(cpu::gemv_packed_bytes(k, n));
    const int threads = l.threads_for(2.0 * static_cast<double>(m * k * n), bytes);
    std::vector<Operand> operands{{l.plain(shape_.a), false}};
    const Dims lie = shape_.transpose_b ? Dims{1, k} : Dims{n, 1};
    if (k % 16 == 0) {
        operands.push_back({l.repacked(shape_.b, MemoryDesc::strided({k, n}, lie), panel_desc(k, n)), false});
    } else {
        const std::string tag = "gemv " + std::to_string(lie[0]) + " " + std::to_string(lie[1]);
        const void* packed = l.engine().packed_own(l.value(shape_.b).index, tag, cpu::gemv_packed_bytes(k, n),
                                                   [&](const void* plain, void* to) {
                                                       cpu::gemv_pack(static_cast<const float*>(plain), lie[0], lie[1],
                                                                      k, n, static_cast<float*>(to), 0, panels);
                                                   });
        operands.push_back({l.constant_memory(packed, cpu::gemv_packed_bytes(k, n), shape_.b), false});
    }
    const bool has_bias = shape_.bias >= 0, has_residual = residual >= 0;
    if (has_bias) operands.push_back({l.plain(shape_.bias), false});
    int dst = -1;
    if (has_residual) {
        const int buffer = l.plain(residual);
        if (std::count(reads.begin(), reads.end(), residual) == 1) dst = l.define_over(shape_.dst, residual, buffer);
        operands.push_back({buffer, false});
    }
    if (dst < 0) dst = l.define(shape_.dst);
    operands.push_back({dst, true});
    l.add_kernel(operands, threads, 2 * m * k * n, std::string("tenon_gemv:") + cpu::isa_name(kernels.isa),
                 [params, threads, panels, has_bias, has_residual, run = kernels.run](void* const* p, tenon_error*) {
                     cpu::GemvParams now = params;
                     now.x = static_cast<const float*>(*p++);
                     now.packed = static_cast<const float*>(*p++);
                     now.bias = has_bias ? static_cast<const float*>(*p++) : nullptr;
                     now.residual = has_residual ? static_cast<const float*>(*p++) : nullptr;
                     now.y = static_cast<float*>(*p);
                     parallel_ranges(threads, panels, 1, [&](int64_t begin, int64_t end) { run(now, begin, end); });
                     return TENON_OK;
                 });
    return true;
}

void MatmulNode::lower_onednn(Lowering& l, bool flat) const {
    Stack a(l.value(shape_.a).dims, shape_.transpose_a), b(l.value(shape_.b).dims, shape_.transpose_b);
    const Value& dst_value = l.value(shape_.dst);
    Dims dst_dims = dst_value.dims;
    const int64_t k = a.cols(), n = b.cols();
    if (flat) {
        const int64_t m = dst_value.elements / n;
        if (!shape_.transpose_a) a = Stack({m, k}, false);
        a.drop_leading(2);
        b.drop_leading(2);
        dst_dims = {m, n};
    } else {
        a.lead_with_ones(dst_dims.size());
        b.lead_with_ones(dst_dims.size());
    }
    const size_t rank = dst_dims.size();
    const auto operand_desc = [&](int v) {
        Dims dims = l.value(v).dims;
        if (flat) dims = product(dims) == 1 ? Dims{1, 1} : dims == dst_value.dims ? dst_dims : Dims{1, n};
        return MemoryDesc::plain(with_rank(dims, rank));
    };
    const int64_t work = 2 * dst_value.elements * k;
    const int threads =
        l.threads_for(static_cast<double>(work), static_cast<double>(l.value(shape_.b).bytes + dst_value.bytes));
    const TeamSize team(threads);

    const MemoryDesc a_desc = MemoryDesc::strided(a.dims, a.strides);
    const MemoryDesc b_plain = MemoryDesc::strided(b.dims, b.strides);
    const MemoryDesc dst_desc = MemoryDesc::plain(dst_dims);
    const bool constant = l.value(shape_.b).role == TENON_ROLE_CONSTANT && leading(l.value(shape_.b).dims) == 1;

    FusedPostOps fused;
    MemoryDesc bias_desc;
    if (shape_.alpha != 1) fused.eltwise({dnnl_eltwise_linear, static_cast<float>(shape_.alpha), 0});
    if (shape_.bias >= 0) {
        bias_desc = operand_desc(shape_.bias);
        const bool vector = shape_.alpha == 1 && is_row_vector(bias_desc.dims(), n);
        if (!vector) {
            fused.binary(dnnl_binary_add, l.plain(shape_.bias), bias_desc);
            bias_desc = {};
        }
    }
    int dst_buffer = -1;
    for (const tenon_post_op& op : ops_) {
        if (op.kind == TENON_POST_ACTIVATION) {
            fused.eltwise(eltwise_alg(op.function, op.alpha, op.beta));
            continue;
        }
        const int v = static_cast<int>(op.value);
        const int buffer = l.plain(v);
        const bool whole = l.value(v).dims == dst_value.dims && op.kind == TENON_POST_ADD;
        if (whole && dst_buffer < 0 && std::count(reads.begin(), reads.end(), v) == 1) {
            dst_buffer = l.define_over(shape_.dst, v, buffer);
            if (dst_buffer >= 0) {
                fused.sum();
                continue;
            }
        }
        fused.binary(op.kind == TENON_POST_ADD ? dnnl_binary_add : dnnl_binary_mul, buffer, operand_desc(v));
    }
    const Attr attr = new_attr(l.engine().math_mode());
    fused.set(attr);
    const auto create = [&](const MemoryDesc& weights) {
        dnnl_primitive_desc_t made = nullptr;
        const dnnl_status_t status =
            dnnl_matmul_primitive_desc_create(&made, dnnl_cpu_engine(), a_desc.get(), weights.get(),
                                              bias_desc ? bias_desc.get() : nullptr, dst_desc.get(), attr.get());
        if (status != dnnl_unimplemented) check_dnnl(status, kind);
        return PrimitiveDesc(status == dnnl_unimplemented ? nullptr : made);
    };
    PrimitiveDesc pd = create(constant ? MemoryDesc::any(b.dims) : b_plain);
    if (!pd) fail(TENON_UNSUPPORTED, "oneDNN has no implementation");
    if (constant) {
        // Weights packed for another number of rows serve as well, if oneDNN is as fast with them.
        const std::string wanted = implementation_name(pd);
        for (const MemoryDesc& there : l.engine().packed_layouts(l.value(shape_.b).index, b_plain)) {
            PrimitiveDesc pinned = create(there);
            if (!pinned || implementation_name(pinned) != wanted) continue;
            pd = std::move(pinned);
            break;
        }
    }
    const MemoryDesc b_desc = query_md(pd, dnnl_query_weights_md);
    std::vector<Lowering::PrimitiveOperand> operands{
        {DNNL_ARG_SRC, l.plain(shape_.a), false, a_desc},
        {DNNL_ARG_WEIGHTS, constant ? l.repacked(shape_.b, b_plain, b_desc) : l.plain(shape_.b), false, b_desc}};
    if (bias_desc) operands.push_back({DNNL_ARG_BIAS, l.plain(shape_.bias), false, bias_desc});
    operands.insert(operands.end(), fused.operands().begin(), fused.operands().end());
    if (dst_buffer < 0) dst_buffer = l.define(shape_.dst);
    operands.push_back({DNNL_ARG_DST, dst_buffer, true, dst_desc});
    l.add_primitive(pd, std::move(operands), threads, work);
}

void check_matmul(const tenon_program& p, const tenon_matmul_params& a) {
    const Value& left = p.value(a.a, "a");
    const Value& right = p.value(a.b, "b");
    const Value& dst = p.value(a.dst, "dst");
    for (const Value* v : {&left, &right, &dst}) require_dtype(*v, TENON_F32, "a, b or dst");
    require(left.rank() >= 2 && right.rank() >= 2, "a %s and b %s need rank 2", dims_text(left.dims).c_str(),
            dims_text(right.dims).c_str());
    const Stack x(left.dims, a.transpose_a != 0), y(right.dims, a.transpose_b != 0);
    require(x.cols() == y.rows(), "a %s and b %s: K is %lld and %lld", dims_text(left.dims).c_str(),
            dims_text(right.dims).c_str(), ll(x.cols()), ll(y.rows()));
    require_supported(x.cols() > 0, "K is 0");
    const size_t rank = std::max(x.dims.size(), y.dims.size());
    const Dims xd = with_rank(x.dims, rank), yd = with_rank(y.dims, rank);
    Dims expected;
    for (size_t i = 0; i + 2 < rank; ++i) {
        require(xd[i] == yd[i] || xd[i] == 1 || yd[i] == 1, "leading dims of a %s and b %s do not broadcast",
                dims_text(left.dims).c_str(), dims_text(right.dims).c_str());
        expected.push_back(xd[i] == 1 ? yd[i] : xd[i]);
    }
    expected.push_back(x.rows());
    expected.push_back(y.cols());
    require(dst.dims == expected, "dst is %s, expected %s", dims_text(dst.dims).c_str(), dims_text(expected).c_str());
    if (a.bias < 0) return;
    const Value& bias = p.value(a.bias, "bias");
    require_dtype(bias, TENON_F32, "bias");
    require(broadcasts_to(bias.dims, dst.dims), "bias %s does not broadcast to %s", dims_text(bias.dims).c_str(),
            dims_text(dst.dims).c_str());
    require_supported(a.beta == 1 || a.beta == 0, "beta %g", a.beta);
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_matmul(tenon_program* program, const char* name, const tenon_matmul_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "matmul", err, [](tenon_program& p, const tenon_matmul_params& a) {
        check_matmul(p, a);
        const int dst = static_cast<int>(a.dst);
        std::vector<tenon_post_op> ops = parse_post_ops(p, a.post_ops, a.post_op_count, p.values[dst]);
        const size_t fused = fusable_prefix(ops);
        const int target = epilogue_target(p, ops, fused, dst);
        const int bias = a.bias >= 0 && a.beta != 0 ? static_cast<int>(a.bias) : -1;
        const MatmulShape shape{static_cast<int>(a.a), static_cast<int>(a.b), bias,    target,
                                a.transpose_a != 0,    a.transpose_b != 0,    a.alpha, bias >= 0 ? a.beta : 1};
        std::vector<int> reads{shape.a, shape.b};
        if (bias >= 0) reads.push_back(bias);
        const std::vector<tenon_post_op> head(ops.begin(), ops.begin() + fused);
        append_reads(head, reads);
        p.add_node(std::make_unique<MatmulNode>(shape, head, std::move(reads)));
        finish_epilogue(p, ops, fused, target, dst);
    });
}
}
