// Reductions over any set of axes.
#include "reduce/reduce.h"

#include "../add_call.h"
#include "../lowering.h"
#include "transpose/transpose.h"

namespace tenon {
namespace {

// [outer, axis, inner] of a value whose reduced axes are neighbours.
struct Lanes {
    int64_t outer = 1, axis = 1, inner = 1;
    bool valid = true;
};

template <typename Range, typename IsReduced, typename SizeOf>
Lanes lanes_of(const Range& dims, const IsReduced& reduced, const SizeOf& size) {
    Lanes lanes;
    int state = 0;  // before, in, after the reduced ones
    for (const auto& d : dims) {
        const int64_t n = size(d);
        if (n == 1) continue;
        if (reduced(d)) {
            lanes.valid &= state != 2;
            state = 1;
            lanes.axis *= n;
        } else {
            if (state == 1) state = 2;
            (state == 0 ? lanes.outer : lanes.inner) *= n;
        }
    }
    return lanes;
}

class ReduceNode final : public Node {
  public:
    explicit ReduceNode(const tenon_reduce_params& a)
        : Node("reduce", {static_cast<int>(a.src)}, {static_cast<int>(a.dst)}), params_(a) {}

    void lower(Lowering& l) const override {
        if (lower_in_layout(l)) return;
        const Dims& dims = l.value(reads[0]).dims;
        std::vector<int> axes(dims.size());
        for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int>(i);
        const Lanes lanes = lanes_of(
            axes, [&](int i) { return is_reduced(i); }, [&](int i) { return dims[i]; });
        const int from = l.plain(reads[0]);
        if (lanes.valid) {
            emit(l, from, lanes);
        } else {
            emit(l, reduced_last(l, from), {product(dims) / reduced_elements(dims), reduced_elements(dims), 1, true});
        }
    }

  private:
    bool is_reduced(int axis) const { return (params_.axes >> axis & 1) != 0; }
    int64_t reduced_elements(const Dims& dims) const {
        int64_t count = 1;
        for (size_t i = 0; i < dims.size(); ++i) count *= is_reduced(static_cast<int>(i)) ? dims[i] : 1;
        return count;
    }

    // A blocked or channels-last source whose remaining axes come out in row-major order needs no reorder.
    bool lower_in_layout(Lowering& l) const {
        if (l.has_plain(reads[0]) || params_.kind >= TENON_REDUCE_ARG_MAX) return false;
        const Form form = l.preferred(reads[0]);
        const auto lie = form.desc.physical();
        if (!lie || form.desc.padded()) return false;
        const Lanes lanes = lanes_of(
            *lie, [&](const PhysicalDim& d) { return is_reduced(d.axis); },
            [](const PhysicalDim& d) { return d.size; });
        if (!lanes.valid) return false;
        const Dims strides = row_major_strides(l.value(reads[0]).dims);
        int64_t last = INT64_MAX;
        for (const PhysicalDim& d : *lie) {
            if (is_reduced(d.axis)) continue;
            if (strides[d.axis] * d.logical > last) return false;
            last = strides[d.axis] * d.logical;
        }
        emit(l, form.buffer, lanes);
        return true;
    }

    // Copies the source with the reduced axes at the end.
    int reduced_last(Lowering& l, int from) const {
        const Value& src = l.value(reads[0]);
        std::vector<int32_t> perm;
        for (int pass = 0; pass < 2; ++pass) {
            for (int i = 0; i < src.rank(); ++i) {
                if (is_reduced(i) == (pass == 1)) perm.push_back(i);
            }
        }
        cpu::TransposePlan plan{};
        if (!cpu::transpose_plan(src.dims.data(), perm.data(), src.rank(), static_cast<int32_t>(dtype_bytes(src.dtype)),
                                 &plan)) {
            fail(TENON_INTERNAL, "transpose of dims %s", dims_text(src.dims).c_str());
        }
        const cpu::TransposeKernels& kernels = cpu::select_transpose(l.engine().isa());
        const int to = l.scratch(src.bytes);
        const int threads = l.threads_for(0, static_cast<double>(6 * src.bytes));
        l.add_kernel(
            {{from, false}, {to, true}}, threads, 0, std::string("tenon_transpose:") + cpu::isa_name(kernels.isa),
            [plan, threads, run = kernels.run](void* const* p, tenon_error*) {
                parallel_ranges(threads, plan.units, 1, [&](int64_t b, int64_t e) { run(plan, p[0], p[1], b, e); });
                return TENON_OK;
            },
            "transpose");
        return to;
    }

    void emit(Lowering& l, int from, const Lanes& lanes) const {
        const cpu::ReduceKernels& kernels = cpu::select_reduce(l.engine().isa());
        const Value& src = l.value(reads[0]);
        const int64_t count = lanes.outer * lanes.inner;
        const int threads = l.threads_for(static_cast<double>(src.elements) * 4, static_cast<double>(src.bytes));
        const auto type = static_cast<cpu::ElementType>(src.dtype);
        const auto reduction = static_cast<cpu::Reduction>(params_.kind);
        const bool last = params_.select_last != 0;
        // Neighbouring lanes share cache lines of the source.
        const int64_t grain = lanes.inner > 1 ? 16 : 1;
        l.add_kernel({{from, false}, {l.define(writes[0]), true}}, threads, src.elements,
                     std::string("tenon_reduce:") + cpu::isa_name(kernels.isa),
                     [=, run = kernels.run](void* const* p, tenon_error*) {
                         const cpu::ReduceParams params{p[0], p[1], reduction, type, lanes.axis, lanes.inner, last};
                         parallel_ranges(threads, count, grain, [&](int64_t b, int64_t e) { run(params, b, e); });
                         return TENON_OK;
                     });
    }

    const tenon_reduce_params params_;
};

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" tenon_status tenon_program_add_reduce(tenon_program* program, const char* name,
                                                 const tenon_reduce_params* params, tenon_error* err) {
    return add_call(program, name, params, "reduce", err, [](tenon_program& p, const tenon_reduce_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        const bool arg = a.kind == TENON_REDUCE_ARG_MAX || a.kind == TENON_REDUCE_ARG_MIN;
        require(arg || (a.kind >= TENON_REDUCE_SUM && a.kind <= TENON_REDUCE_LOG_SUM_EXP), "unknown reduction %lld",
                ll(a.kind));
        require(a.axes >= 0 && a.axes >> src.rank() == 0, "axes %llx of rank %d",
                static_cast<unsigned long long>(a.axes), src.rank());
        require(!arg || __builtin_popcountll(static_cast<unsigned long long>(a.axes)) == 1,
                "arg reductions take one axis");
        int64_t expected = 1;
        for (int i = 0; i < src.rank(); ++i) expected *= (a.axes >> i & 1) != 0 ? 1 : src.dims[i];
        require(dst.elements == expected, "dst %s does not have the %lld elements left of src %s",
                dims_text(dst.dims).c_str(), ll(expected), dims_text(src.dims).c_str());
        require(dst.dtype == (arg ? int64_t{TENON_I64} : src.dtype), "dst is %s", dtype_name(dst.dtype));
        require_supported(src.elements > 0, "empty src");
        const cpu::ReduceKernels& kernels = cpu::select_reduce(p.engine.isa());
        require_supported(
            kernels.supported(static_cast<cpu::Reduction>(a.kind), static_cast<cpu::ElementType>(src.dtype)),
            "reduction %lld of %s", ll(a.kind), dtype_name(src.dtype));
        p.add_node(std::make_unique<ReduceNode>(a));
    });
}
