#include "transpose.h"

#include <algorithm>

namespace tenon::cpu {
namespace {

struct Axis {
    int64_t dim;
    int64_t src_stride;
    int64_t dst_stride;
};

// Merges neighbours (in dst order) that are neighbours in src too, and drops dims of 1. Returns the number of axes.
int32_t merge_axes(const int64_t* dims, const int32_t* perm, int32_t rank, Axis* axes) {
    int64_t src_strides[kTransposeMaxRank] = {};
    int64_t stride = 1;
    for (int32_t d = rank - 1; d >= 0; --d) {
        src_strides[d] = stride;
        stride *= dims[d];
    }
    int32_t count = 0;
    for (int32_t i = 0; i < rank; ++i) {
        const Axis axis{dims[perm[i]], src_strides[perm[i]], 0};
        if (axis.dim == 1) continue;
        if (count > 0 && axes[count - 1].src_stride == axis.src_stride * axis.dim) {
            axes[count - 1] = {axes[count - 1].dim * axis.dim, axis.src_stride, 0};
        } else {
            axes[count++] = axis;
        }
    }
    stride = 1;
    for (int32_t i = count - 1; i >= 0; --i) {
        axes[i].dst_stride = stride;
        stride *= axes[i].dim;
    }
    return count;
}

bool arguments_good(const int64_t* dims, const int32_t* perm, int32_t rank, int32_t element_bytes) {
    if (rank < 0 || rank > kTransposeMaxRank) return false;
    if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4 && element_bytes != 8) return false;
    uint32_t seen = 0;
    for (int32_t i = 0; i < rank; ++i) {
        if (dims[i] < 0 || perm[i] < 0 || perm[i] >= rank || (seen >> perm[i] & 1) != 0) return false;
        seen |= 1u << perm[i];
    }
    return true;
}

}  // namespace

bool transpose_plan(const int64_t* dims, const int32_t* perm, int32_t rank, int32_t element_bytes, TransposePlan* out) {
    if (!arguments_good(dims, perm, rank, element_bytes)) return false;
    TransposePlan plan{};
    plan.element_bytes = element_bytes;
    Axis axes[kTransposeMaxRank];
    const int32_t count = merge_axes(dims, perm, rank, axes);
    const bool empty = std::any_of(dims, dims + rank, [](int64_t dim) { return dim == 0; });
    // Of a tile plane, the last dst axis makes the rows and the dense src axis the cols; of copies, the last is copied.
    int32_t dense = count - 1;
    while (dense > 0 && axes[dense].src_stride != 1) --dense;
    if (dense == count - 1) {
        plan.kind = TransposePlan::Kind::copy;
        plan.copy_elements = count > 0 ? axes[count - 1].dim : 1;
        plan.tile_count = 1;
    } else {
        plan.kind = TransposePlan::Kind::tile;
        plan.rows = axes[count - 1].dim;
        plan.src_row_stride = axes[count - 1].src_stride;
        plan.cols = axes[dense].dim;
        plan.dst_col_stride = axes[dense].dst_stride;
        plan.tile_cols = 64 / element_bytes;
        plan.tile_count = (plan.cols + plan.tile_cols - 1) / plan.tile_cols;
    }
    plan.units = empty ? 0 : plan.tile_count;
    for (int32_t i = 0; i < count - 1; ++i) {
        if (plan.kind == TransposePlan::Kind::tile && i == dense) continue;
        plan.dims[plan.rank] = axes[i].dim;
        plan.src_strides[plan.rank] = axes[i].src_stride;
        plan.dst_strides[plan.rank++] = axes[i].dst_stride;
        plan.units *= axes[i].dim;
    }
    *out = plan;
    return true;
}

const TransposeKernels& select_transpose(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "transpose.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

}  // namespace tenon::cpu
