// Resizing of the last one or two axes by tables.
#include "resize/resize.h"

#include "../add_call.h"
#include "../lowering.h"

namespace tenon {
namespace {

struct Table {
    int64_t taps = 1;
    std::vector<int32_t> indices;
    std::vector<float> weights;
};

class ResizeNode final : public Node {
  public:
    ResizeNode(int src, int dst, Table h, Table w) : Node("resize", {src}, {dst}), h_(std::move(h)), w_(std::move(w)) {}

    void lower(Lowering& l) const override {
        const cpu::ResizeKernels& kernels = cpu::select_resize(l.engine().isa());
        const Value& src = l.value(reads[0]);
        const Value& dst = l.value(writes[0]);
        const auto height = [](const Value& v) { return v.rank() > 1 ? v.dims[v.rank() - 2] : 1; };
        cpu::ResizeParams params{};
        params.src_h = height(src);
        params.src_w = src.dims.back();
        params.dst_h = height(dst);
        params.dst_w = dst.dims.back();
        params.h_taps = h_.taps;
        params.w_taps = w_.taps;
        params.h_indices = h_.indices.data();
        params.w_indices = w_.indices.data();
        params.h_weights = h_.weights.data();
        params.w_weights = w_.weights.data();
        const int64_t rows = dst.elements / params.dst_w;
        const int64_t work = dst.elements * h_.taps * w_.taps * 2;
        const int threads = l.threads_for(static_cast<double>(work) * 8, static_cast<double>(src.bytes + dst.bytes));
        const int64_t scratch_floats = (params.src_w + 15) / 16 * 16;
        const int from = l.plain(reads[0]);
        const int scratch = l.scratch(scratch_floats * 4 * threads);
        l.add_kernel({{from, false}, {l.define(writes[0]), true}, {scratch, true}}, threads, work,
                     std::string("tenon_resize:") + cpu::isa_name(kernels.isa),
                     [params, rows, threads, scratch_floats, run = kernels.run](void* const* p, tenon_error*) {
                         cpu::ResizeParams now = params;
                         now.x = static_cast<const float*>(p[0]);
                         now.y = static_cast<float*>(p[1]);
                         parallel_ranges(threads, rows, 1, [&](int64_t b, int64_t e) {
                             run(now, static_cast<float*>(p[2]) + scratch_floats * omp_get_thread_num(), b, e);
                         });
                         return TENON_OK;
                     });
    }

  private:
    const Table h_, w_;
};

Table table_of(const tenon_resize_params& a, int axis, int64_t src_dim, int64_t dst_dim) {
    Table t;
    if (axis < 0 || a.taps[axis] == 0) {
        for (int64_t i = 0; i < dst_dim; ++i) t.indices.push_back(static_cast<int32_t>(i));
        t.weights.assign(dst_dim, 1.0f);
        return t;
    }
    t.taps = a.taps[axis];
    require(t.taps > 0 && a.indices[axis] != nullptr && a.weights[axis] != nullptr, "axis %d: no tables", axis);
    for (int64_t i = 0; i < dst_dim * t.taps; ++i) {
        const int64_t index = a.indices[axis][i];
        require(index >= 0 && index < src_dim, "axis %d: index %lld of %lld", axis, ll(index), ll(src_dim));
        t.indices.push_back(static_cast<int32_t>(index));
        t.weights.push_back(static_cast<float>(a.weights[axis][i]));
    }
    return t;
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" tenon_status tenon_program_add_resize(tenon_program* program, const char* name,
                                                 const tenon_resize_params* params, tenon_error* err) {
    return add_call(program, name, params, "resize", err, [](tenon_program& p, const tenon_resize_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require_dtype(src, TENON_F32, "src");
        require(dst.rank() == src.rank() && dst.dtype == src.dtype, "src and dst differ in type or rank");
        require_supported(src.rank() >= 1 && src.elements > 0, "src %s", dims_text(src.dims).c_str());
        const int rank = src.rank();
        for (int i = 0; i < rank; ++i) {
            require(a.taps[i] > 0 || dst.dims[i] == src.dims[i], "axis %d has no table but changes its size", i);
            require_supported(a.taps[i] == 0 || i >= rank - 2, "only the last two axes, not axis %d of %d", i, rank);
            require_supported(src.dims[i] <= INT32_MAX, "axis %d is too long", i);
        }
        const int h = rank - 2, w = rank - 1;
        p.add_node(std::make_unique<ResizeNode>(static_cast<int>(a.src), static_cast<int>(a.dst),
                                                table_of(a, h, h < 0 ? 1 : src.dims[h], h < 0 ? 1 : dst.dims[h]),
                                                table_of(a, w, src.dims[w], dst.dims[w])));
    });
}
