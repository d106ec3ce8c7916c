#include "topk/topk.h"

#include "common/planner.h"
#include "topk/topk_levels.h"

using namespace tenon::cuda;

namespace {

// k beyond kTopkMost: sorted runs, then the place of each of their elements.
int32_t plan_sort(Planner& planner, const tenon_cuda_topk& a, TopkParams& p, int type) {
    static const char* const sort[] = {"tenon_topk_sort_f32", "tenon_topk_sort_f16", "tenon_topk_sort_bf16"};
    static const char* const rank[] = {"tenon_topk_rank_f32", "tenon_topk_rank_f16", "tenon_topk_rank_bf16"};
    const int64_t runs = divide_up(a.n, kTopkSort), slots = a.k < kTopkSort ? a.k : kTopkSort;
    const int64_t items = a.rows * runs * slots;
    p.chunks = static_cast<int32_t>(runs);
    p.slots = static_cast<int32_t>(slots);
    p.step = 1;
    while (2 * p.step <= slots) p.step *= 2;
    p.to = static_cast<uint64_t*>(a.workspace);
    p.from = p.to;
    p.last = runs == 1;
    planner.launch(sort[type], {a.rows * runs}, kTopkThreads, 0, p);
    if (p.last) return planner.done();
    if (divide_up(items, kTopkThreads) > INT32_MAX) return planner.unsupported("rows * n is too large");
    planner.workspace(items * 8);
    planner.launch(rank[type], {divide_up(items, kTopkThreads)}, kTopkThreads, 0, p);
    return planner.done();
}

}  // namespace

int32_t tenon_cuda_topk_plan(const tenon_cuda_topk* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_topk& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.rows < 0 || a.rows > INT32_MAX) {
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    }
    if (a.k < 0 || a.n < a.k) {
        return planner.invalid("k is %lld; expected 0 to n, which is %lld", (long long)a.k, (long long)a.n);
    }
    if (a.k > kTopkMost && a.n > kTopkMostRuns * kTopkSort) {
        return planner.unsupported("k is %lld of n %lld; at most %d where n is above %d", (long long)a.k,
                                   (long long)a.n, kTopkMost, kTopkMostRuns * kTopkSort);
    }
    if (a.n > kMostAxis) return planner.unsupported("n is %lld; at most 2^31 - 2^14", (long long)a.n);
    if (a.rows == 0 || a.k == 0) return planner.done();
    if (!a.x || !a.indices) return planner.invalid("%s is null", a.x ? "indices" : "x");
    if (a.x_stride < a.n) {
        return planner.invalid("x_stride is %lld; expected at least n, which is %lld", (long long)a.x_stride,
                               (long long)a.n);
    }
    if (!fits(size_of_type(a.type), {{a.rows, a.x_stride}, {a.n, 1}})) {
        return planner.unsupported("x spans more than 2^40 bytes");
    }

    TopkParams p{};
    p.x = a.x;
    p.values = a.values;
    p.indices = a.indices;
    p.rows = a.rows;
    p.x_stride = a.x_stride;
    p.n = static_cast<int32_t>(a.n);
    p.k = static_cast<int32_t>(a.k);
    p.flip = a.largest ? 0 : 0xffffffffu;
    const int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    if (a.n <= kTopkWarpItems * 32 && a.k <= 32) {
        static const char* const warp[] = {"tenon_topk_warp_f32", "tenon_topk_warp_f16", "tenon_topk_warp_bf16"};
        planner.launch(warp[type], {divide_up(a.rows, kTopkThreads / 32)}, kTopkThreads, 0, p);
        return planner.done();
    }
    if (a.k > kTopkMost) return plan_sort(planner, a, p, type);
    TopkLevels levels(a.k, a.n, a.rows, type, static_cast<unsigned char*>(a.workspace));
    if (!levels.fits(true)) return planner.unsupported("n is %lld; too large for k", (long long)a.n);
    levels.launch(planner, p, true);
    planner.workspace(levels.workspace_bytes(true));
    return planner.done();
}
