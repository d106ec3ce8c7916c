// Gather, GatherElements and GatherND.
#include "gather/gather.h"

#include <atomic>

#include "../add_call.h"
#include "../lowering.h"

namespace tenon {
namespace {

struct GatherShape {
    int64_t kind;
    int64_t outer = 1;  // batch of GATHER_ND
    int64_t axis = 1;   // size
    int64_t index_count = 1;
    int64_t inner = 1;  // elements
    int64_t depth = 0;
    int64_t dims[8] = {};
    int64_t element_bytes;
    int32_t index_bytes;
    int64_t units() const { return kind == TENON_GATHER_ELEMENTS ? outer * index_count * inner : outer * index_count; }
};

class GatherNode final : public Node {
  public:
    GatherNode(const tenon_gather_params& a, const GatherShape& shape)
        : Node("gather", {static_cast<int>(a.data), static_cast<int>(a.indices)}, {static_cast<int>(a.dst)}),
          shape_(shape) {}

    void lower(Lowering& l) const override {
        const cpu::GatherKernels& kernels = cpu::select_gather(l.engine().isa());
        const GatherShape s = shape_;
        const double bytes = static_cast<double>(l.value(writes[0]).bytes) * 2 + static_cast<double>(s.units()) * 8;
        const int threads = l.threads_for(0, bytes);
        const int data = l.plain(reads[0]), indices = l.plain(reads[1]);
        l.add_kernel({{data, false, l.value(writes[0]).bytes}, {indices, false}, {l.define(writes[0]), true}}, threads,
                     0, std::string("tenon_gather:") + cpu::isa_name(kernels.isa),
                     [s, threads, &kernels](void* const* p, tenon_error* err) -> tenon_status {
                         std::atomic<int64_t> bad{-1};
                         parallel_ranges(threads, s.units(), 1, [&](int64_t begin, int64_t end) {
                             const int64_t found = run(kernels, s, p, begin, end);
                             if (found >= 0) bad = found;
                         });
                         if (bad < 0) return TENON_OK;
                         char text[128];
                         std::snprintf(text, sizeof text, "gather: the index at position %lld is out of range",
                                       ll(bad));
                         return report(err, TENON_INDEX_OUT_OF_RANGE, text);
                     });
    }

  private:
    static int64_t run(const cpu::GatherKernels& kernels, const GatherShape& s, void* const* p, int64_t begin,
                       int64_t end) {
        if (s.kind == TENON_GATHER) {
            return kernels.gather({p[0], p[1], p[2], s.axis, s.index_count, s.inner * s.element_bytes, s.index_bytes},
                                  begin, end);
        }
        if (s.kind == TENON_GATHER_ELEMENTS) {
            return kernels.gather_elements({p[0], p[1], p[2], s.axis, s.index_count, s.inner, s.inner,
                                            static_cast<int32_t>(s.element_bytes), s.index_bytes},
                                           begin, end);
        }
        cpu::GatherNdParams params{p[0],         p[1], p[2], s.index_count, s.depth, {}, s.inner * s.element_bytes,
                                   s.index_bytes};
        std::copy(s.dims, s.dims + 8, params.dims);
        return kernels.gather_nd(params, begin, end);
    }

    const GatherShape shape_;
};

GatherShape along_axis(const Value& data, const Value& indices, int64_t kind, int64_t axis) {
    require(axis >= 0 && axis < data.rank(), "axis %lld of rank %d", ll(axis), data.rank());
    GatherShape s{};
    s.kind = kind;
    for (int i = 0; i < data.rank(); ++i) {
        if (i < axis) s.outer *= data.dims[i];
        if (i > axis) s.inner *= data.dims[i];
    }
    s.axis = data.dims[axis];
    s.index_count = kind == TENON_GATHER ? indices.elements : indices.dims[axis];
    return s;
}

Dims gather_dims(const Value& data, const Value& indices, int64_t axis) {
    Dims dims(data.dims.begin(), data.dims.begin() + axis);
    dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
    dims.insert(dims.end(), data.dims.begin() + axis + 1, data.dims.end());
    return dims;
}

GatherShape shape_of(const tenon_gather_params& a, const Value& data, const Value& indices, Dims* expected) {
    if (a.kind == TENON_GATHER) {
        GatherShape s = along_axis(data, indices, a.kind, a.axis);
        *expected = gather_dims(data, indices, a.axis);
        return s;
    }
    if (a.kind == TENON_GATHER_ELEMENTS) {
        require(indices.rank() == data.rank(), "data and indices differ in rank");
        GatherShape s = along_axis(data, indices, a.kind, a.axis);
        for (int i = 0; i < data.rank(); ++i) {
            require_supported(i == a.axis || indices.dims[i] == data.dims[i],
                              "indices %s smaller than data %s beside the axis", dims_text(indices.dims).c_str(),
                              dims_text(data.dims).c_str());
        }
        *expected = indices.dims;
        return s;
    }
    require(a.kind == TENON_GATHER_ND, "unknown gather kind %lld", ll(a.kind));
    const int64_t batch = a.batch_dims;
    require(batch >= 0 && batch < indices.rank() && batch <= data.rank(), "batch_dims %lld", ll(batch));
    GatherShape s{};
    s.kind = a.kind;
    s.depth = indices.dims.back();
    require(s.depth >= 0 && s.depth <= data.rank() - batch, "indices %s are deeper than data %s",
            dims_text(indices.dims).c_str(), dims_text(data.dims).c_str());
    expected->assign(indices.dims.begin(), indices.dims.end() - 1);
    for (int64_t i = 0; i < batch; ++i) {
        require(data.dims[i] == indices.dims[i], "batch dims of data %s and indices %s differ",
                dims_text(data.dims).c_str(), dims_text(indices.dims).c_str());
        s.outer *= data.dims[i];
    }
    for (int64_t i = batch; i + 1 < indices.rank(); ++i) s.index_count *= indices.dims[i];
    for (int64_t i = 0; i < s.depth; ++i) s.dims[i] = data.dims[batch + i];
    for (int64_t i = batch + s.depth; i < data.rank(); ++i) {
        s.inner *= data.dims[i];
        expected->push_back(data.dims[i]);
    }
    return s;
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" tenon_status tenon_program_add_gather(tenon_program* program, const char* name,
                                                 const tenon_gather_params* params, tenon_error* err) {
    return add_call(program, name, params, "gather", err, [](tenon_program& p, const tenon_gather_params& a) {
        const Value& data = p.value(a.data, "data");
        const Value& indices = p.value(a.indices, "indices");
        const Value& dst = p.value(a.dst, "dst");
        require_supported(indices.dtype == TENON_I32 || indices.dtype == TENON_I64, "indices are %s",
                          dtype_name(indices.dtype));
        Dims expected;
        GatherShape shape = shape_of(a, data, indices, &expected);
        require(dst.dims == expected && dst.dtype == data.dtype, "dst is %s of %s, expected %s of %s",
                dims_text(dst.dims).c_str(), dtype_name(dst.dtype), dims_text(expected).c_str(),
                dtype_name(data.dtype));
        shape.element_bytes = dtype_bytes(data.dtype);
        shape.index_bytes = static_cast<int32_t>(dtype_bytes(indices.dtype));
        p.add_node(std::make_unique<GatherNode>(a, shape));
    });
}
