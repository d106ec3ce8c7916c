// Pooling and local response normalisation by oneDNN, in whatever layout the source has.
#include "../add_call.h"
#include "../lowering.h"

namespace tenon {
namespace {

struct PoolShape {
    dnnl_alg_kind_t alg;
    dnnl_dims_t kernel, strides, dilates, begin, end;
    int64_t window;
};

class PoolNode final : public Node {
  public:
    PoolNode(const PoolShape& shape, int src, int dst) : Node("pool", {src}, {dst}), shape_(shape) {}

    void lower(Lowering& l) const override {
        const Value& dst = l.value(writes[0]);
        const MemoryDesc src_desc = l.preferred_desc(reads[0]);
        const int threads = l.threads_for(static_cast<double>(dst.elements * shape_.window) * 4,
                                          static_cast<double>(l.value(reads[0]).bytes + dst.bytes));
        const TeamSize team(threads);
        const Attr attr = new_attr(TENON_MATH_STRICT);
        const MemoryDesc any = MemoryDesc::any(dst.dims);
        dnnl_primitive_desc_t made = nullptr;
        check_dnnl(dnnl_pooling_forward_primitive_desc_create(
                       &made, dnnl_cpu_engine(), dnnl_forward_inference, shape_.alg, src_desc.get(), any.get(),
                       shape_.strides, shape_.kernel, shape_.dilates, shape_.begin, shape_.end, attr.get()),
                   kind);
        const PrimitiveDesc pd(made);
        const MemoryDesc dst_desc = query_md(pd, dnnl_query_dst_md);
        const int src_buffer = l.as(reads[0], src_desc);
        l.add_primitive(pd,
                        {{DNNL_ARG_SRC, src_buffer, false, src_desc},
                         {DNNL_ARG_DST, l.define(writes[0], dst_desc), true, dst_desc}},
                        threads, dst.elements * shape_.window);
    }

  private:
    const PoolShape shape_;
};

class LrnNode final : public Node {
  public:
    explicit LrnNode(const tenon_lrn_params& a)
        : Node("lrn", {static_cast<int>(a.src)}, {static_cast<int>(a.dst)}), params_(a) {}

    void lower(Lowering& l) const override {
        const Value& dst = l.value(writes[0]);
        const MemoryDesc src_desc = l.preferred_desc(reads[0]);
        const int threads = l.threads_for(static_cast<double>(dst.elements) * 100, static_cast<double>(dst.bytes) * 2);
        const TeamSize team(threads);
        const Attr attr = new_attr(TENON_MATH_STRICT);
        const MemoryDesc any = MemoryDesc::any(dst.dims);
        dnnl_primitive_desc_t made = nullptr;
        check_dnnl(dnnl_lrn_forward_primitive_desc_create(
                       &made, dnnl_cpu_engine(), dnnl_forward_inference, dnnl_lrn_across_channels, src_desc.get(),
                       any.get(), params_.size, static_cast<float>(params_.alpha), static_cast<float>(params_.beta),
                       static_cast<float>(params_.bias), attr.get()),
                   kind);
        const PrimitiveDesc pd(made);
        const MemoryDesc dst_desc = query_md(pd, dnnl_query_dst_md);
        const int src_buffer = l.as(reads[0], src_desc);
        l.add_primitive(pd,
                        {{DNNL_ARG_SRC, src_buffer, false, src_desc},
                         {DNNL_ARG_DST, l.define(writes[0], dst_desc), true, dst_desc}},
                        threads, dst.elements * (params_.size * 2 + 20));
    }

  private:
    const tenon_lrn_params params_;
};

PoolShape check_pool(const tenon_program& p, const tenon_pool_params& a) {
    const Value& src = p.value(a.src, "src");
    const Value& dst = p.value(a.dst, "dst");
    require_dtype(src, TENON_F32, "src");
    require_dtype(dst, TENON_F32, "dst");
    const int spatial = src.rank() - 2;
    require_supported(spatial >= 1 && spatial <= TENON_MAX_SPATIAL, "src %s needs 1 to 3 spatial axes",
                      dims_text(src.dims).c_str());
    require(dst.rank() == src.rank() && dst.dims[0] == src.dims[0] && dst.dims[1] == src.dims[1],
            "src %s and dst %s do not fit", dims_text(src.dims).c_str(), dims_text(dst.dims).c_str());
    require_supported(src.elements > 0, "empty src");
    static constexpr dnnl_alg_kind_t kAlgs[] = {dnnl_pooling_max, dnnl_pooling_avg_include_padding,
                                                dnnl_pooling_avg_exclude_padding};
    require(a.kind >= 0 && a.kind <= TENON_POOL_AVERAGE_EXCLUDE_PAD, "unknown pooling kind %lld", ll(a.kind));
    PoolShape s{kAlgs[a.kind], {}, {}, {}, {}, {}, 1};
    for (int i = 0; i < spatial; ++i) {
        const int64_t kernel = a.kernel[i], stride = a.strides[i], dilation = a.dilations[i], begin = a.pads_begin[i];
        require(kernel >= 1 && stride >= 1 && dilation >= 1 && begin >= 0,
                "axis %d: kernel %lld, stride %lld, dilation %lld, pad %lld", i, ll(kernel), ll(stride), ll(dilation),
                ll(begin));
        const int64_t range = (kernel - 1) * dilation + 1;
        const int64_t in = src.dims[i + 2], out = dst.dims[i + 2];
        require(out >= 1 && begin < range && (out - 1) * stride - begin < in,
                "axis %d: a window of src %lld, kernel range %lld, stride %lld, pad %lld, dst %lld lies outside", i,
                ll(in), ll(range), ll(stride), ll(begin), ll(out));
        s.kernel[i] = kernel;
        s.strides[i] = stride;
        s.dilates[i] = dilation - 1;
        s.begin[i] = begin;
        s.end[i] = (out - 1) * stride + range - in - begin;
        s.window *= kernel;
    }
    return s;
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_pool(tenon_program* program, const char* name, const tenon_pool_params* params,
                                    tenon_error* err) {
    return add_call(program, name, params, "pool", err, [](tenon_program& p, const tenon_pool_params& a) {
        p.add_node(std::make_unique<PoolNode>(check_pool(p, a), static_cast<int>(a.src), static_cast<int>(a.dst)));
    });
}

tenon_status tenon_program_add_lrn(tenon_program* program, const char* name, const tenon_lrn_params* params,
                                   tenon_error* err) {
    return add_call(program, name, params, "lrn", err, [](tenon_program& p, const tenon_lrn_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require_dtype(src, TENON_F32, "src");
        require(src.dims == dst.dims && dst.dtype == src.dtype, "src and dst differ");
        require_supported(src.rank() >= 3 && src.rank() <= 5 && src.elements > 0, "src %s needs 1 to 3 spatial axes",
                          dims_text(src.dims).c_str());
        require(a.size >= 1, "size is %lld", ll(a.size));
        require_supported(a.size % 2 == 1, "only odd sizes, not %lld", ll(a.size));
        p.add_node(std::make_unique<LrnNode>(a));
    });
}
}
