// Convolution and transposed convolution by oneDNN.
#include <algorithm>

#include "../add_call.h"
#include "../lowering.h"
#include "conv_shape.h"
#include "epilogue.h"
#include "winograd.h"

namespace tenon {
namespace {

// The layouts a primitive descriptor was asked for, and how to ask.
struct ConvDescs {
    MemoryDesc src, weights, bias, dst;
};

class ConvNode final : public Node {
  public:
    ConvNode(ConvShape shape, std::vector<tenon_post_op> ops, std::vector<int> reads)
        : Node(shape.transposed ? "deconv" : "conv", std::move(reads), {shape.dst}),
          shape_(std::move(shape)),
          ops_(std::move(ops)) {}

    void lower(Lowering& l) const override;
    bool wants_channel_blocks(const Lowering& l) const override { return winograd_applies(l, shape_, ops_); }

  private:
    MemoryDesc weights_plain(Lowering& l) const;
    PrimitiveDesc create(const ConvDescs& d, const Attr& attr) const;
    PrimitiveDesc best(Lowering& l, const ConvDescs& d, const Attr& attr) const;
    PrimitiveDesc keeping_source(Lowering& l, ConvDescs d, const Attr& attr) const;
    int residual(Lowering& l) const;
    int64_t flops(Lowering& l) const;
    void fuse(Lowering& l, FusedPostOps& fused, int residual, bool in_place, int residual_buffer,
              const MemoryDesc& residual_desc) const;

    const ConvShape shape_;
    const std::vector<tenon_post_op> ops_;
};

// Weights as oneDNN counts their axes: [G,] O / G, C / G, kernel.
MemoryDesc ConvNode::weights_plain(Lowering& l) const {
    const Dims& w = l.value(shape_.weights).dims;
    const int64_t g = shape_.groups;
    if (!shape_.transposed) {
        if (g == 1) return MemoryDesc::plain(w);
        Dims dims{g, w[0] / g};
        dims.insert(dims.end(), w.begin() + 1, w.end());
        return MemoryDesc::plain(dims);
    }
    // ONNX has [C, O / G, kernel] here.
    Dims lie{g, w[0] / g};
    lie.insert(lie.end(), w.begin() + 1, w.end());
    Dims strides = row_major_strides(lie);
    std::swap(lie[1], lie[2]);
    std::swap(strides[1], strides[2]);
    if (g == 1) {
        lie.erase(lie.begin());
        strides.erase(strides.begin());
    }
    return MemoryDesc::strided(lie, strides);
}

PrimitiveDesc ConvNode::create(const ConvDescs& d, const Attr& attr) const {
    const size_t spatial = shape_.strides.size();
    dnnl_dims_t strides{}, dilates{}, begin{}, end{};
    for (size_t i = 0; i < spatial; ++i) {
        strides[i] = shape_.strides[i];
        dilates[i] = shape_.dilations[i] - 1;
        begin[i] = shape_.pads_begin[i];
        end[i] = shape_.pads_end[i];
    }
    dnnl_primitive_desc_t made = nullptr;
    const auto bias = d.bias ? d.bias.get() : nullptr;
    const dnnl_status_t status =
        shape_.transposed
            ? dnnl_deconvolution_forward_primitive_desc_create(
                  &made, dnnl_cpu_engine(), dnnl_forward_inference, dnnl_deconvolution_direct, d.src.get(),
                  d.weights.get(), bias, d.dst.get(), strides, dilates, begin, end, attr.get())
            : dnnl_convolution_forward_primitive_desc_create(
                  &made, dnnl_cpu_engine(), dnnl_forward_inference, dnnl_convolution_direct, d.src.get(),
                  d.weights.get(), bias, d.dst.get(), strides, dilates, begin, end, attr.get());
    if (status == dnnl_unimplemented) return nullptr;
    check_dnnl(status, kind);
    return PrimitiveDesc(made);
}

bool is_slow(const PrimitiveDesc& pd) {
    const std::string name = implementation_name(pd);
    return name.starts_with("ref") || name.starts_with("gemm");
}

constexpr int64_t kBlock = 16;

// Layout of feature maps in channel blocks, where there are enough channels; what `otherwise` says for few.
MemoryDesc channel_blocked(const Dims& dims, const MemoryDesc& otherwise) {
    static constexpr dnnl_format_tag_t kTags[] = {dnnl_nCw16c, dnnl_nChw16c, dnnl_nCdhw16c};
    return dims[1] < kBlock ? otherwise : MemoryDesc::tagged(dims, kTags[dims.size() - 3]);
}

PrimitiveDesc ConvNode::best(Lowering& l, const ConvDescs& d, const Attr& attr) const {
    if (l.channel_blocks()) {
        ConvDescs blocked = d;
        blocked.src = channel_blocked(l.value(shape_.src).dims, d.src);
        blocked.dst = channel_blocked(l.value(shape_.dst).dims, d.dst);
        PrimitiveDesc pd = create(blocked, attr);
        if (pd && !is_slow(pd)) return pd;
    }
    return keeping_source(l, d, attr);
}

// Prefers the layout the source has already, unless oneDNN has nothing good for it.
PrimitiveDesc ConvNode::keeping_source(Lowering& l, ConvDescs d, const Attr& attr) const {
    const Form form = l.preferred(shape_.src);
    PrimitiveDesc any = create(d, attr);
    if (!any) fail(TENON_UNSUPPORTED, "oneDNN has no implementation");
    if (form.plain() || query_md(any, dnnl_query_src_md) == form.desc) return any;
    d.src = form.desc;
    PrimitiveDesc same = create(d, attr);
    return same && (is_slow(any) || !is_slow(same)) ? std::move(same) : std::move(any);
}

// Position of the first post-op that adds a value of the result's size, or -1.
int ConvNode::residual(Lowering& l) const {
    for (size_t i = 0; i < ops_.size(); ++i) {
        if (ops_[i].kind == TENON_POST_ADD &&
            l.value(static_cast<int>(ops_[i].value)).dims == l.value(shape_.dst).dims) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

int64_t ConvNode::flops(Lowering& l) const {
    const Value& weights = l.value(shape_.weights);
    const Value& positions = l.value(shape_.transposed ? shape_.src : shape_.dst);
    int64_t count = positions.dims[0];
    for (size_t i = 2; i < positions.dims.size(); ++i) count *= positions.dims[i];
    return 2 * count * weights.elements;
}

void ConvNode::fuse(Lowering& l, FusedPostOps& fused, int residual, bool in_place, int residual_buffer,
                    const MemoryDesc& residual_desc) const {
    const size_t rank = l.value(shape_.dst).dims.size();
    for (size_t i = 0; i < ops_.size(); ++i) {
        const tenon_post_op& op = ops_[i];
        if (op.kind == TENON_POST_ACTIVATION) {
            fused.eltwise(eltwise_alg(op.function, op.alpha, op.beta));
        } else if (static_cast<int>(i) == residual) {
            if (in_place) {
                fused.sum();
            } else {
                fused.binary(dnnl_binary_add, residual_buffer, residual_desc);
            }
        } else {
            const int v = static_cast<int>(op.value);
            fused.binary(op.kind == TENON_POST_ADD ? dnnl_binary_add : dnnl_binary_mul, l.plain(v),
                         MemoryDesc::plain(with_rank(l.value(v).dims, rank)));
        }
    }
}

void ConvNode::lower(Lowering& l) const {
    if (l.channel_blocks() && winograd_applies(l, shape_, ops_)) {
        lower_winograd(l, shape_, ops_,
                       std::count(reads.begin(), reads.end(), winograd_residual(l, shape_, ops_)) == 1);
        return;
    }
    const Value& src = l.value(shape_.src);
    const Value& dst = l.value(shape_.dst);
    const MemoryDesc from = weights_plain(l);
    const int64_t work = flops(l);
    const int threads = l.threads_for(static_cast<double>(work), static_cast<double>(src.bytes + dst.bytes));
    const TeamSize team(threads);

    ConvDescs descs{MemoryDesc::any(src.dims), MemoryDesc::any(from.dims()), {}, MemoryDesc::any(dst.dims)};
    if (shape_.bias >= 0) descs.bias = MemoryDesc::plain(l.value(shape_.bias).dims);

    // A residual fixes the layout of the result, or takes that which suits the convolution.
    const int add = residual(l);
    int residual_buffer = -1, dst_buffer = -1;
    MemoryDesc residual_desc;
    if (add >= 0) {
        const int v = static_cast<int>(ops_[add].value);
        const Form form = l.preferred(v);
        residual_desc =
            form.plain() ? query_md(best(l, descs, new_attr(l.engine().math_mode())), dnnl_query_dst_md) : form.desc;
        residual_buffer = l.as(v, residual_desc);
        const bool alone = std::count(reads.begin(), reads.end(), v) == 1;
        if (alone) dst_buffer = l.define_over(shape_.dst, v, residual_buffer, residual_desc);
        descs.dst = residual_desc;
    }
    FusedPostOps fused;
    fuse(l, fused, add, dst_buffer >= 0, residual_buffer, residual_desc);
    const Attr attr = new_attr(l.engine().math_mode());
    fused.set(attr);
    const PrimitiveDesc pd = best(l, descs, attr);

    const MemoryDesc src_desc = query_md(pd, dnnl_query_src_md);
    const MemoryDesc weights_desc = query_md(pd, dnnl_query_weights_md);
    const MemoryDesc dst_desc = query_md(pd, dnnl_query_dst_md);
    std::vector<Lowering::PrimitiveOperand> operands{
        {DNNL_ARG_SRC, l.as(shape_.src, src_desc), false, src_desc},
        {DNNL_ARG_WEIGHTS, l.repacked(shape_.weights, from, weights_desc), false, weights_desc}};
    if (shape_.bias >= 0) operands.push_back({DNNL_ARG_BIAS, l.plain(shape_.bias), false, descs.bias});
    operands.insert(operands.end(), fused.operands().begin(), fused.operands().end());
    if (dst_buffer < 0) dst_buffer = l.define(shape_.dst, dst_desc);
    operands.push_back({DNNL_ARG_DST, dst_buffer, true, dst_desc});
    l.add_primitive(pd, std::move(operands), threads, work);
}

void check_conv(const tenon_program& p, const tenon_conv_params& a, ConvShape& s) {
    const Value& src = p.value(a.src, "src");
    const Value& weights = p.value(a.weights, "weights");
    const Value& dst = p.value(a.dst, "dst");
    for (const Value* v : {&src, &weights, &dst}) require_dtype(*v, TENON_F32, "src, weights or dst");
    const int spatial = src.rank() - 2;
    require_supported(spatial >= 1 && spatial <= TENON_MAX_SPATIAL, "src %s needs 1 to 3 spatial axes",
                      dims_text(src.dims).c_str());
    require(weights.rank() == src.rank() && dst.rank() == src.rank(), "src %s, weights %s and dst %s differ in rank",
            dims_text(src.dims).c_str(), dims_text(weights.dims).c_str(), dims_text(dst.dims).c_str());
    require_supported(src.elements > 0 && weights.elements > 0, "empty operand");
    const int64_t g = a.groups;
    const int64_t out_channels = dst.dims[1], in_channels = src.dims[1];
    require(g >= 1 && in_channels % g == 0 && out_channels % g == 0, "%lld groups for %lld and %lld channels", ll(g),
            ll(in_channels), ll(out_channels));
    const Dims expected = s.transposed ? Dims{in_channels, out_channels / g} : Dims{out_channels, in_channels / g};
    require(weights.dims[0] == expected[0] && weights.dims[1] == expected[1],
            "weights %s do not fit %lld and %lld channels in %lld groups", dims_text(weights.dims).c_str(),
            ll(in_channels), ll(out_channels), ll(g));
    require(dst.dims[0] == src.dims[0], "batch of src is %lld, of dst %lld", ll(src.dims[0]), ll(dst.dims[0]));
    if (a.bias >= 0) {
        const Value& bias = p.value(a.bias, "bias");
        require_dtype(bias, TENON_F32, "bias");
        require(bias.dims == Dims{out_channels}, "bias is %s, expected [%lld]", dims_text(bias.dims).c_str(),
                ll(out_channels));
    }
    s.groups = g;
    for (int i = 0; i < spatial; ++i) {
        const int64_t stride = a.strides[i], dilation = a.dilations[i];
        require(stride >= 1 && dilation >= 1, "axis %d: stride %lld, dilation %lld", i, ll(stride), ll(dilation));
        const int64_t range = (weights.dims[i + 2] - 1) * dilation + 1;
        const int64_t in = src.dims[i + 2], out = dst.dims[i + 2];
        s.strides.push_back(stride);
        s.dilations.push_back(dilation);
        s.pads_begin.push_back(a.pads_begin[i]);
        if (s.transposed) {
            s.pads_end.push_back((in - 1) * stride + range - a.pads_begin[i] - out);
            continue;
        }
        const int64_t room = in + a.pads_begin[i] + a.pads_end[i] - range;
        require(room >= 0 && room / stride + 1 == out,
                "axis %d: src %lld, kernel range %lld, stride %lld, pads %lld and %lld give no dst of %lld", i, ll(in),
                ll(range), ll(stride), ll(a.pads_begin[i]), ll(a.pads_end[i]), ll(out));
        s.pads_end.push_back(a.pads_end[i]);
    }
}

void add_conv(tenon_program& p, const tenon_conv_params& a, bool transposed) {
    ConvShape s{static_cast<int>(a.src),
                static_cast<int>(a.weights),
                static_cast<int>(a.bias),
                static_cast<int>(a.dst),
                transposed,
                1,
                {},
                {},
                {},
                {}};
    check_conv(p, a, s);
    const int dst = s.dst;
    std::vector<tenon_post_op> ops = parse_post_ops(p, a.post_ops, a.post_op_count, p.values[dst]);
    const size_t fused = fusable_prefix(ops);
    s.dst = epilogue_target(p, ops, fused, dst);
    std::vector<int> reads{s.src, s.weights};
    if (s.bias >= 0) reads.push_back(s.bias);
    const std::vector<tenon_post_op> head(ops.begin(), ops.begin() + fused);
    append_reads(head, reads);
    const int target = s.dst;
    p.add_node(std::make_unique<ConvNode>(std::move(s), head, std::move(reads)));
    finish_epilogue(p, ops, fused, target, dst);
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_conv(tenon_program* program, const char* name, const tenon_conv_params* params,
                                    tenon_error* err) {
    return add_call(program, name, params, "conv", err,
                    [](tenon_program& p, const tenon_conv_params& a) { add_conv(p, a, false); });
}

tenon_status tenon_program_add_deconv(tenon_program* program, const char* name, const tenon_conv_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "deconv", err,
                    [](tenon_program& p, const tenon_conv_params& a) { add_conv(p, a, true); });
}
}
