// Transpose, slice, pad and expand of plain values of any type.
#include <algorithm>
#include <cstring>

#include "../add_call.h"
#include "../lowering.h"
#include "copy/copy.h"
#include "transpose/transpose.h"

namespace tenon {
namespace {

using cpu::CopyPlan;

// A copy between two strided arrays that both lie somewhere in plain values.
CopyPlan plan_copy(const Dims& dims, const Dims& src_strides, const Dims& dst_strides, int64_t element_bytes) {
    CopyPlan plan{};
    if (!cpu::copy_plan(dims.data(), src_strides.data(), dst_strides.data(), static_cast<int32_t>(dims.size()),
                        static_cast<int32_t>(element_bytes), &plan)) {
        fail(TENON_INTERNAL, "copy of dims %s", dims_text(dims).c_str());
    }
    return plan;
}

// src[src_offset + ...] to dst[dst_offset + ...], offsets in bytes.
void add_copy(Lowering& l, int src, int64_t src_offset, const CopyPlan& plan, int dst, int64_t dst_offset,
              int64_t bytes) {
    const cpu::CopyKernels& kernels = cpu::select_copy(l.engine().isa());
    const int threads = l.threads_for(0, static_cast<double>(2 * bytes));
    l.add_kernel({{src, false, std::min(bytes, l.bytes_of(src))}, {dst, true, bytes}}, threads, 0,
                 std::string("tenon_copy:") + cpu::isa_name(kernels.isa),
                 [plan, threads, src_offset, dst_offset, run = kernels.run](void* const* p, tenon_error*) {
                     const char* from = static_cast<const char*>(p[0]) + src_offset;
                     char* to = static_cast<char*>(p[1]) + dst_offset;
                     parallel_ranges(threads, plan.units, 1,
                                     [&](int64_t begin, int64_t end) { run(plan, from, to, begin, end); });
                     return TENON_OK;
                 });
}

class TransposeNode final : public Node {
  public:
    TransposeNode(int src, int dst, std::vector<int32_t> perm)
        : Node("transpose", {src}, {dst}), perm_(std::move(perm)) {}

    void lower(Lowering& l) const override {
        const Value& src = l.value(reads[0]);
        if (nothing_moves(src.dims)) {
            if (l.define_view(writes[0], l.plain(reads[0]), 0)) return;
        } else if (view_of_layout(l)) {
            return;
        }
        cpu::TransposePlan plan{};
        if (!cpu::transpose_plan(src.dims.data(), perm_.data(), static_cast<int32_t>(perm_.size()),
                                 static_cast<int32_t>(dtype_bytes(src.dtype)), &plan)) {
            fail(TENON_INTERNAL, "transpose of dims %s", dims_text(src.dims).c_str());
        }
        const cpu::TransposeKernels& kernels = cpu::select_transpose(l.engine().isa());
        const int from = l.plain(reads[0]);
        // Scattered access costs several times what a stream does.
        const int threads = l.threads_for(0, static_cast<double>(6 * src.bytes));
        l.add_kernel({{from, false}, {l.define(writes[0]), true}}, threads, 0,
                     std::string("tenon_transpose:") + cpu::isa_name(kernels.isa),
                     [plan, threads, run = kernels.run](void* const* p, tenon_error*) {
                         parallel_ranges(threads, plan.units, 1,
                                         [&](int64_t begin, int64_t end) { run(plan, p[0], p[1], begin, end); });
                         return TENON_OK;
                     });
    }

  private:
    // Axes of size 1 may go anywhere.
    bool nothing_moves(const Dims& dims) const {
        int32_t last = -1;
        for (int32_t axis : perm_) {
            if (dims[axis] == 1) continue;
            if (axis < last) return false;
            last = axis;
        }
        return true;
    }

    // Memory in a layout such as channels-last is the transposed value already.
    bool view_of_layout(Lowering& l) const {
        if (l.has_plain(reads[0]) || l.value(writes[0]).role != TENON_ROLE_TEMP) return false;
        const Form form = l.preferred(reads[0]);
        std::vector<int> to(perm_.size());
        for (size_t i = 0; i < perm_.size(); ++i) to[perm_[i]] = static_cast<int>(i);
        dnnl_memory_desc_t made = nullptr;
        if (dnnl_memory_desc_permute_axes(&made, form.desc.get(), to.data()) != dnnl_success) return false;
        const MemoryDesc desc(made);
        return desc.is_row_major() && l.define_view(writes[0], form.buffer, 0);
    }

    const std::vector<int32_t> perm_;
};

class SliceNode final : public Node {
  public:
    SliceNode(int src, int dst, Dims starts, Dims steps)
        : Node("slice", {src}, {dst}), starts_(std::move(starts)), steps_(std::move(steps)) {}

    void lower(Lowering& l) const override {
        const Value& src = l.value(reads[0]);
        const Value& dst = l.value(writes[0]);
        const int64_t width = dtype_bytes(src.dtype);
        Dims strides = row_major_strides(src.dims);
        int64_t offset = 0;
        for (size_t i = 0; i < strides.size(); ++i) {
            offset += starts_[i] * strides[i];
            strides[i] *= steps_[i];
        }
        const int from = l.plain(reads[0]);
        if (one_stretch(src.dims, dst.dims) && l.define_view(writes[0], from, offset * width)) return;
        const CopyPlan plan = plan_copy(dst.dims, strides, row_major_strides(dst.dims), width);
        add_copy(l, from, offset * width, plan, l.define(writes[0]), 0, dst.bytes);
    }

  private:
    bool one_stretch(const Dims& src, const Dims& dst) const {
        size_t i = 0;
        while (i < src.size() && dst[i] == 1) ++i;
        for (size_t k = i; k < src.size(); ++k) {
            if (steps_[k] != 1 || (k > i && dst[k] != src[k])) return false;
        }
        return true;
    }

    const Dims starts_, steps_;
};

class ExpandNode final : public Node {
  public:
    ExpandNode(int src, int dst) : Node("expand", {src}, {dst}) {}

    void lower(Lowering& l) const override {
        const Value& src = l.value(reads[0]);
        const Value& dst = l.value(writes[0]);
        const int from = l.plain(reads[0]);
        if (src.elements == dst.elements && l.define_view(writes[0], from, 0)) return;
        const Dims dims = with_rank(src.dims, dst.dims.size());
        Dims strides = row_major_strides(dims);
        for (size_t i = 0; i < dims.size(); ++i) {
            if (dims[i] == 1) strides[i] = 0;
        }
        const CopyPlan plan = plan_copy(dst.dims, strides, row_major_strides(dst.dims), dtype_bytes(src.dtype));
        add_copy(l, from, 0, plan, l.define(writes[0]), 0, dst.bytes);
    }
};

// Raw bytes of a number in the given type, in the low bytes of the result.
uint64_t bits_of(double value, int64_t dtype) {
    uint64_t bits = 0;
    const auto put = [&](auto v) { std::memcpy(&bits, &v, sizeof v); };
    switch (dtype) {
        case TENON_F32:
            put(static_cast<float>(value));
            break;
        case TENON_F64:
            put(value);
            break;
        case TENON_F16: {
            const _Float16 half = static_cast<_Float16>(value);
            put(half);
            break;
        }
        case TENON_BF16: {
            const float f = static_cast<float>(value);
            uint32_t word = 0;
            std::memcpy(&word, &f, sizeof f);
            put(static_cast<uint16_t>(f != f ? 0x7fc0 : (word + 0x7fff + (word >> 16 & 1)) >> 16));
            break;
        }
        case TENON_BOOL:
            put(static_cast<uint8_t>(value != 0));
            break;
        case TENON_U64:
            put(static_cast<uint64_t>(value));
            break;
        default:
            put(static_cast<int64_t>(value));
            break;
    }
    return bits;
}

class PadNode final : public Node {
  public:
    PadNode(const tenon_pad_params& a, int rank)
        : Node("pad", {static_cast<int>(a.src)}, {static_cast<int>(a.dst)}),
          begin_(a.pads_begin, a.pads_begin + rank),
          mode_(a.mode),
          value_(a.value) {}

    void lower(Lowering& l) const override {
        if (mode_ == TENON_PAD_CONSTANT) {
            pad_constant(l);
        } else {
            pad_from_source(l);
        }
    }

  private:
    void pad_constant(Lowering& l) const;
    void pad_from_source(Lowering& l) const;

    const Dims begin_;
    const int64_t mode_;
    const double value_;
};

void PadNode::pad_constant(Lowering& l) const {
    const Value& src = l.value(reads[0]);
    const Value& dst = l.value(writes[0]);
    const int64_t width = dtype_bytes(src.dtype);
    const Dims src_strides = row_major_strides(src.dims), dst_strides = row_major_strides(dst.dims);
    Dims inside = dst.dims;  // what src covers
    int64_t from = 0, to = 0;
    for (size_t i = 0; i < inside.size(); ++i) {
        const int64_t first = std::max<int64_t>(begin_[i], 0);
        const int64_t skip = std::max<int64_t>(-begin_[i], 0);
        inside[i] = std::max<int64_t>(std::min(dst.dims[i] - first, src.dims[i] - skip), 0);
        from += skip * src_strides[i];
        to += first * dst_strides[i];
    }
    const cpu::CopyKernels& kernels = cpu::select_copy(l.engine().isa());
    const Dims zero_strides(dst.dims.size(), 0);
    const CopyPlan fill = plan_copy(dst.dims, zero_strides, dst_strides, width);
    const bool covered = inside == dst.dims, nothing = product(inside) == 0;
    const CopyPlan copy = plan_copy(inside, src_strides, dst_strides, width);
    const uint64_t bits = bits_of(value_, dst.dtype);
    const int threads = l.threads_for(0, static_cast<double>(3 * dst.bytes));
    const int src_buffer = l.plain(reads[0]);
    l.add_kernel({{src_buffer, false}, {l.define(writes[0]), true}}, threads, 0,
                 std::string("tenon_copy:") + cpu::isa_name(kernels.isa), [=, &kernels](void* const* p, tenon_error*) {
                     if (!covered) {
                         parallel_ranges(threads, fill.units, 1,
                                         [&](int64_t b, int64_t e) { kernels.fill(fill, &bits, p[1], b, e); });
                     }
                     if (!nothing) {
                         const char* s = static_cast<const char*>(p[0]) + from * width;
                         char* d = static_cast<char*>(p[1]) + to * width;
                         parallel_ranges(threads, copy.units, 1,
                                         [&](int64_t b, int64_t e) { kernels.run(copy, s, d, b, e); });
                     }
                     return TENON_OK;
                 });
}

// Source position of every position along one axis.
int64_t mirrored(int64_t at, int64_t size, int64_t mode) {
    if (mode == TENON_PAD_EDGE) return std::clamp<int64_t>(at, 0, size - 1);
    if (mode == TENON_PAD_WRAP) return (at % size + size) % size;
    if (size == 1) return 0;
    const int64_t period = 2 * (size - 1);
    const int64_t folded = (at % period + period) % period;
    return folded < size ? folded : period - folded;
}

template <typename T>
void gather_rows(const T* src, T* dst, const std::vector<std::vector<int64_t>>& tables, const Dims& dims, int64_t begin,
                 int64_t end) {
    const size_t last = dims.size() - 1;
    for (int64_t row = begin; row < end; ++row) {
        int64_t rest = row, base = 0;
        for (size_t i = last; i-- > 0;) {
            base += tables[i][rest % dims[i]];
            rest /= dims[i];
        }
        for (int64_t j = 0; j < dims[last]; ++j) dst[row * dims[last] + j] = src[base + tables[last][j]];
    }
}

void PadNode::pad_from_source(Lowering& l) const {
    const Value& src = l.value(reads[0]);
    const Value& dst = l.value(writes[0]);
    const Dims strides = row_major_strides(src.dims);
    std::vector<std::vector<int64_t>> tables(dst.dims.size());
    for (size_t i = 0; i < tables.size(); ++i) {
        for (int64_t j = 0; j < dst.dims[i]; ++j)
            tables[i].push_back(mirrored(j - begin_[i], src.dims[i], mode_) * strides[i]);
    }
    const int64_t width = dtype_bytes(src.dtype);
    const int64_t rows = dst.elements / dst.dims.back();
    const int threads = l.threads_for(0, static_cast<double>(8 * dst.elements * 4));
    const int from = l.plain(reads[0]);
    l.add_kernel({{from, false}, {l.define(writes[0]), true}}, threads, 0, "tenon_pad",
                 [tables, dims = dst.dims, width, rows, threads](void* const* p, tenon_error*) {
                     parallel_ranges(threads, rows, 1, [&](int64_t b, int64_t e) {
                         switch (width) {
                             case 1:
                                 return gather_rows(static_cast<const uint8_t*>(p[0]), static_cast<uint8_t*>(p[1]),
                                                    tables, dims, b, e);
                             case 2:
                                 return gather_rows(static_cast<const uint16_t*>(p[0]), static_cast<uint16_t*>(p[1]),
                                                    tables, dims, b, e);
                             case 4:
                                 return gather_rows(static_cast<const uint32_t*>(p[0]), static_cast<uint32_t*>(p[1]),
                                                    tables, dims, b, e);
                             default:
                                 return gather_rows(static_cast<const uint64_t*>(p[0]), static_cast<uint64_t*>(p[1]),
                                                    tables, dims, b, e);
                         }
                     });
                     return TENON_OK;
                 });
}

void check_same_rank(const Value& src, const Value& dst) {
    require(src.dtype == dst.dtype && src.rank() == dst.rank(), "src %s and dst %s differ in type or rank",
            dims_text(src.dims).c_str(), dims_text(dst.dims).c_str());
}

}  // namespace
}  // namespace tenon

using namespace tenon;

extern "C" {

tenon_status tenon_program_add_transpose(tenon_program* program, const char* name, const tenon_transpose_params* params,
                                         tenon_error* err) {
    return add_call(program, name, params, "transpose", err, [](tenon_program& p, const tenon_transpose_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        check_same_rank(src, dst);
        std::vector<int32_t> perm;
        std::vector<bool> seen(src.dims.size(), false);
        for (int i = 0; i < src.rank(); ++i) {
            const int64_t axis = a.perm[i];
            require(axis >= 0 && axis < src.rank() && !seen[axis] && dst.dims[i] == src.dims[axis],
                    "perm[%d] is %lld for src %s and dst %s", i, ll(axis), dims_text(src.dims).c_str(),
                    dims_text(dst.dims).c_str());
            seen[axis] = true;
            perm.push_back(static_cast<int32_t>(axis));
        }
        p.add_node(std::make_unique<TransposeNode>(static_cast<int>(a.src), static_cast<int>(a.dst), std::move(perm)));
    });
}

tenon_status tenon_program_add_slice(tenon_program* program, const char* name, const tenon_slice_params* params,
                                     tenon_error* err) {
    return add_call(program, name, params, "slice", err, [](tenon_program& p, const tenon_slice_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        check_same_rank(src, dst);
        Dims starts, steps;
        for (int i = 0; i < src.rank(); ++i) {
            const int64_t first = a.starts[i], last = first + (dst.dims[i] - 1) * a.steps[i];
            require(a.steps[i] != 0 &&
                        (dst.dims[i] == 0 || (first >= 0 && first < src.dims[i] && last >= 0 && last < src.dims[i])),
                    "axis %d: start %lld, step %lld, %lld elements of %lld", i, ll(first), ll(a.steps[i]),
                    ll(dst.dims[i]), ll(src.dims[i]));
            starts.push_back(first);
            steps.push_back(dst.dims[i] == 1 ? 1 : a.steps[i]);
        }
        p.add_node(std::make_unique<SliceNode>(static_cast<int>(a.src), static_cast<int>(a.dst), std::move(starts),
                                               std::move(steps)));
    });
}

tenon_status tenon_program_add_expand(tenon_program* program, const char* name, const tenon_unary_params* params,
                                      tenon_error* err) {
    return add_call(program, name, params, "expand", err, [](tenon_program& p, const tenon_unary_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        require(src.dtype == dst.dtype && broadcasts_to(src.dims, dst.dims), "src %s does not broadcast to dst %s",
                dims_text(src.dims).c_str(), dims_text(dst.dims).c_str());
        p.add_node(std::make_unique<ExpandNode>(static_cast<int>(a.src), static_cast<int>(a.dst)));
    });
}

tenon_status tenon_program_add_pad(tenon_program* program, const char* name, const tenon_pad_params* params,
                                   tenon_error* err) {
    return add_call(program, name, params, "pad", err, [](tenon_program& p, const tenon_pad_params& a) {
        const Value& src = p.value(a.src, "src");
        const Value& dst = p.value(a.dst, "dst");
        check_same_rank(src, dst);
        require(a.mode >= TENON_PAD_CONSTANT && a.mode <= TENON_PAD_WRAP, "unknown pad mode %lld", ll(a.mode));
        require_supported(a.mode == TENON_PAD_CONSTANT || (src.elements > 0 && src.rank() > 0), "nothing to pad with");
        for (int i = 0; i < src.rank(); ++i) {
            require(dst.dims[i] == src.dims[i] + a.pads_begin[i] + a.pads_end[i],
                    "axis %d: src %lld, pads %lld and %lld, dst %lld", i, ll(src.dims[i]), ll(a.pads_begin[i]),
                    ll(a.pads_end[i]), ll(dst.dims[i]));
        }
        p.add_node(std::make_unique<PadNode>(a, src.rank()));
    });
}
}
