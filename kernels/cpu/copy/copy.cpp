#include "copy.h"

#include <algorithm>

namespace tenon::cpu {

bool copy_plan(const int64_t* dims, const int64_t* src_strides, const int64_t* dst_strides, int32_t rank,
               int32_t element_bytes, CopyPlan* out) {
    if (rank < 0 || rank > kCopyMaxRank) return false;
    if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4 && element_bytes != 8) return false;
    CopyPlan plan{};
    plan.element_bytes = element_bytes;
    bool empty = false;
    for (int32_t d = 0; d < rank; ++d) {
        if (dims[d] < 0) return false;
        empty = empty || dims[d] == 0;
        if (dims[d] == 1) continue;
        const int64_t src = src_strides[d] * element_bytes, dst = dst_strides[d] * element_bytes;
        const int32_t last = plan.rank - 1;
        if (last >= 0 && plan.src_strides[last] == src * dims[d] && plan.dst_strides[last] == dst * dims[d]) {
            plan.dims[last] *= dims[d];
        } else {
            plan.dims[++plan.rank - 1] = dims[d];
        }
        plan.src_strides[plan.rank - 1] = src;
        plan.dst_strides[plan.rank - 1] = dst;
    }
    plan.inner = 1;
    plan.inner_src_stride = plan.inner_dst_stride = element_bytes;
    if (plan.rank > 0) {
        --plan.rank;
        plan.inner = plan.dims[plan.rank];
        plan.inner_src_stride = plan.src_strides[plan.rank];
        plan.inner_dst_stride = plan.dst_strides[plan.rank];
    }
    // Pieces of about 64 KB, so that one long stretch can be shared.
    plan.chunk = std::max<int64_t>(1, std::min<int64_t>(plan.inner, 65536 / element_bytes));
    plan.chunks = (plan.inner + plan.chunk - 1) / plan.chunk;
    plan.units = empty ? 0 : plan.chunks;
    for (int32_t d = 0; d < plan.rank; ++d) plan.units *= plan.dims[d];
    *out = plan;
    return true;
}

const CopyKernels& select_copy(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "copy.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

}  // namespace tenon::cpu
