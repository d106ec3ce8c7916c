// Reshape and concat: where layouts allow, no bytes are moved.
#include <algorithm>
#include <cstring>

#include "../add_call.h"
#include "../lowering.h"

namespace tenon {
namespace {

void add_memcpy(Lowering& l, int from, int to, int64_t bytes) {
    const int threads = l.threads_for(0, static_cast<double>(2 * bytes));
    l.add_kernel({{from, false}, {to, true}}, threads, 0, "memcpy", [bytes, threads](void* const* p, tenon_error*) {
        parallel_ranges(threads, bytes, 4096, [&](int64_t begin, int64_t end) {
            std::memcpy(static_cast<char*>(p[1]) + begin, static_cast<const char*>(p[0]) + begin, end - begin);
        });
        return TENON_OK;
    });
}

class ReshapeNode final : public Node {
  public:
    ReshapeNode(int src, int dst) : Node("reshape", {src}, {dst}) {}
    void lower(Lowering& l) const override {
        const int from = l.plain(reads[0]);
        if (!l.define_view(writes[0], from, 0)) add_memcpy(l, from, l.define(writes[0]), l.value(writes[0]).bytes);
    }
};

class ConcatNode final : public Node {
  public:
    ConcatNode(std::vector<int> inputs, int dst, int axis) : Node("concat", std::move(inputs), {dst}), axis_(axis) {}

    void lower(Lowering& l) const override {
        const MemoryDesc common = common_layout(l);
        const MemoryDesc whole = common ? whole_layout(l, common) : MemoryDesc();
        if (in_rows(l, whole)) {
            join(l, whole);
        } else if (common || mixed(l)) {
            concat_onednn(l, common);
        } else {
            interleave(l);
        }
    }

  private:
    std::vector<int> inputs(Lowering& l) const {
        std::vector<int> result;
        for (int r : reads) {
            if (l.value(r).elements > 0) result.push_back(r);
        }
        return result;
    }
    bool mixed(Lowering& l) const {
        return std::any_of(reads.begin(), reads.end(),
                           [&](int r) { return l.value(r).elements > 0 && !l.has_plain(r); });
    }
    MemoryDesc common_layout(Lowering& l) const;
    MemoryDesc whole_layout(Lowering& l, const MemoryDesc& part) const;
    bool in_rows(Lowering& l, const MemoryDesc& whole) const;
    void join(Lowering& l, const MemoryDesc& whole) const;
    void concat_onednn(Lowering& l, const MemoryDesc& common) const;
    void interleave(Lowering& l) const;
    MemoryDesc part_layout(Lowering& l, int input) const {
        const Form f = l.preferred(input);
        return f.desc;
    }

    const int axis_;
};

// The layout of the first input, if all inputs have one of that structure and without padding; else none.
MemoryDesc ConcatNode::common_layout(Lowering& l) const {
    MemoryDesc first;
    for (int r : inputs(l)) {
        if (l.value(r).dtype != TENON_F32) return {};
        const Form f = l.preferred(r);
        if (f.plain() || f.desc.padded() || !f.desc.physical()) return {};
        if (!first) first = f.desc;
        if (f.desc.text() != first.text()) return {};
    }
    return first;
}

// What oneDNN makes of parts in that layout.
MemoryDesc ConcatNode::whole_layout(Lowering& l, const MemoryDesc& part) const {
    std::vector<const_dnnl_memory_desc_t> sources;
    std::vector<MemoryDesc> keep;
    for (int r : inputs(l)) {
        keep.push_back(part_layout(l, r));
        sources.push_back(keep.back().get());
    }
    dnnl_primitive_desc_t made = nullptr;
    const dnnl_status_t status = dnnl_concat_primitive_desc_create(
        &made, dnnl_cpu_engine(), nullptr, static_cast<int>(sources.size()), axis_, sources.data(), nullptr);
    if (status != dnnl_success) return {};
    const PrimitiveDesc pd(made);
    MemoryDesc whole = query_md(pd, dnnl_query_dst_md);
    return whole.text() == part.text() ? whole : MemoryDesc();
}

// Whether each input is one stretch of the result's memory.
bool ConcatNode::in_rows(Lowering& l, const MemoryDesc& whole) const {
    if (!whole) {
        if (mixed(l)) return false;
        const Dims& dims = l.value(writes[0]).dims;
        return std::all_of(dims.begin(), dims.begin() + axis_, [](int64_t d) { return d == 1; });
    }
    const auto outermost_is_axis = [&](const MemoryDesc& d) {
        const auto lie = d.physical();
        return lie && (lie->empty() || lie->front().axis == axis_);
    };
    return outermost_is_axis(whole) && std::all_of(reads.begin(), reads.end(), [&](int r) {
               return l.value(r).elements == 0 || outermost_is_axis(part_layout(l, r));
           });
}

void ConcatNode::join(Lowering& l, const MemoryDesc& whole) const {
    const int dst = whole ? l.define(writes[0], whole) : l.define(writes[0]);
    int64_t offset = 0;
    for (int r : inputs(l)) {
        const MemoryDesc part = whole ? part_layout(l, r) : MemoryDesc();
        const int64_t bytes = l.value(r).bytes;
        if (!l.absorb(r, part, dst, offset)) {
            const int from = whole ? l.as(r, part) : l.plain(r);
            add_memcpy(l, from, l.part_of(dst, offset, bytes, writes[0]), bytes);
        }
        offset += bytes;
    }
}

void ConcatNode::concat_onednn(Lowering& l, const MemoryDesc& common) const {
    (void)common;
    const Value& dst = l.value(writes[0]);
    if (dst.dtype != TENON_F32) {
        interleave(l);
        return;
    }
    std::vector<Lowering::PrimitiveOperand> operands;
    std::vector<const_dnnl_memory_desc_t> sources;
    for (int r : inputs(l)) {
        const MemoryDesc desc = l.preferred_desc(r);
        operands.push_back({DNNL_ARG_MULTIPLE_SRC + static_cast<int>(operands.size()), l.as(r, desc), false, desc});
    }
    for (const auto& o : operands) sources.push_back(o.desc.get());
    const int threads = l.threads_for(0, static_cast<double>(2 * dst.bytes));
    const TeamSize team(threads);
    const Attr attr = new_attr(TENON_MATH_STRICT);
    dnnl_primitive_desc_t made = nullptr;
    check_dnnl(dnnl_concat_primitive_desc_create(&made, dnnl_cpu_engine(), nullptr, static_cast<int>(sources.size()),
                                                 axis_, sources.data(), attr.get()),
               kind);
    const PrimitiveDesc pd(made);
    const MemoryDesc dst_desc = query_md(pd, dnnl_query_dst_md);
    operands.push_back({DNNL_ARG_DST, l.define(writes[0], dst_desc), true, dst_desc});
    l.add_primitive(pd, std::move(operands), threads, 0);
}

// Rows of all inputs in turn.
void ConcatNode::interleave(Lowering& l) const {
    struct Part {
        int64_t row_bytes;
        int64_t offset;
    };
    const Value& dst = l.value(writes[0]);
    const int64_t width = dtype_bytes(dst.dtype);
    int64_t inner = width, outer = 1;
    for (int i = 0; i < dst.rank(); ++i) {
        if (i < axis_) outer *= dst.dims[i];
        if (i > axis_) inner *= dst.dims[i];
    }
    std::vector<Part> parts;
    std::vector<Operand> operands;
    int64_t row = 0;
    for (int r : inputs(l)) {
        const int64_t bytes = l.value(r).dims[axis_] * inner;
        parts.push_back({bytes, row});
        row += bytes;
        operands.push_back({l.plain(r), false});
    }
    operands.push_back({l.define(writes[0]), true});
    const int threads = l.threads_for(0, static_cast<double>(2 * dst.bytes));
    l.add_kernel(std::move(operands), threads, 0, "memcpy", [parts, row, outer, threads](void* const* p, tenon_error*) {
        char* to = static_cast<char*>(p[parts.size()]);
        parallel_ranges(threads, outer, 1, [&](int64_t begin, int64_t end) {
            for (size_t i = 0; i < parts.size(); ++i) {
                const char* from = static_cast<const char*>(p[i]);
                for (int64_t o = begin; o < end; ++o) {
                    std::memcpy(to + o * row + parts[i].offset, from + o * parts[i].row_bytes, parts[i].row_bytes);
                }
            }
        });
        return TENON_OK;
    });
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_reshape(tenon_program* program, const char* name, const tenon_unary_params* params,
                                       tenon_error* err) {
    return add_call(program, name, params, "reshape", err, [](tenon_program& p, const tenon_unary_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require(src.dtype == dst.dtype && src.elements == dst.elements, "src %s and dst %s differ in type or elements",
                dims_text(src.dims).c_str(), dims_text(dst.dims).c_str());
        p.add_node(std::make_unique<ReshapeNode>(static_cast<int>(a.src), static_cast<int>(a.dst)));
    });
}

tenon_status tenon_program_add_concat(tenon_program* program, const char* name, const tenon_concat_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "concat", err, [](tenon_program& p, const tenon_concat_params& a) {
        require(a.input_count >= 1 && a.inputs != nullptr, "no inputs");
        const Value& dst = p.value(a.dst, "dst");
        require(a.axis >= 0 && a.axis < dst.rank(), "axis %lld of rank %d", ll(a.axis), dst.rank());
        std::vector<int> inputs;
        int64_t sum = 0;
        for (int64_t i = 0; i < a.input_count; ++i) {
            const Value& v = p.value(a.inputs[i], "input");
            Dims expected = dst.dims;
            require(v.rank() == dst.rank() && v.dtype == dst.dtype, "input %lld differs from dst in rank or type",
                    ll(i));
            expected[a.axis] = v.dims[a.axis];
            require(v.dims == expected, "input %lld is %s, dst %s", ll(i), dims_text(v.dims).c_str(),
                    dims_text(dst.dims).c_str());
            sum += v.dims[a.axis];
            inputs.push_back(static_cast<int>(a.inputs[i]));
        }
        require(sum == dst.dims[a.axis], "inputs have %lld along axis %lld, dst %lld", ll(sum), ll(a.axis),
                ll(dst.dims[a.axis]));
        p.add_node(std::make_unique<ConcatNode>(std::move(inputs), static_cast<int>(a.dst), static_cast<int>(a.axis)));
    });
}
}
