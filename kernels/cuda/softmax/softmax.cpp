#include "softmax/softmax.h"

#include <utility>

#include "common/planner.h"
#include "softmax/softmax_params.h"

using namespace tenon::cuda;

int32_t tenon_cuda_softmax_plan(const tenon_cuda_softmax* args, const tenon_cuda_device* device,
                                tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_softmax& a = *args;
    if (a.kind != TENON_CUDA_SOFTMAX && a.kind != TENON_CUDA_SOFTMAX_LOG) {
        return planner.invalid("kind is %lld; expected 0 (softmax) or 1 (log)", (long long)a.kind);
    }
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.y_type != a.type && a.y_type != TENON_CUDA_F32) {
        return planner.unsupported("y_type %lld; expected the type of x or F32", (long long)a.y_type);
    }
    float scale = static_cast<float>(a.scale);
    // Half of the largest and a few of the smallest: the kernels multiply it by log2(e).
    if (!(scale > 2e-38f && scale < 1.7e38f)) return planner.invalid("scale is %g; expected more than 0", a.scale);
    for (auto [name, value] : {std::pair("outer", a.outer), {"axis", a.axis}, {"inner", a.inner}}) {
        if (value < 0) return planner.invalid("%s is %lld; expected 0 or more", name, (long long)value);
    }
    if (a.outer == 0 || a.axis == 0 || a.inner == 0) return planner.done();
    if (!a.x || !a.y) return planner.invalid("%s is null", a.x ? "y" : "x");
    if (a.axis > kMostAxis) return planner.unsupported("axis is %lld; at most 2^31 - 2^14", (long long)a.axis);
    if (!fits(size_of_type(a.y_type), {a.outer, a.axis, a.inner})) {
        return planner.unsupported("y has more than 2^40 bytes");
    }

    SoftmaxParams p{};
    p.x = a.x;
    p.y = a.y;
    p.partial = a.workspace;
    p.outer = a.outer;
    p.axis = a.axis;
    p.inner = a.inner;
    p.scale = scale;
    p.log = a.kind == TENON_CUDA_SOFTMAX_LOG;
    p.y_f32 = a.y_type == TENON_CUDA_F32;
    p.splits = 1;

    enum { kLanes8, kWarp, kBlock, kLong, kSums, kSplit, kColumns, kColumns4 };
    static const char* const names[3][8] = {
        {"tenon_softmax_lanes8_f32", "tenon_softmax_warp_f32", "tenon_softmax_block_f32", "tenon_softmax_long_f32",
         "tenon_softmax_sums_f32", "tenon_softmax_split_f32", "tenon_softmax_columns_f32",
         "tenon_softmax_columns4_f32"},
        {"tenon_softmax_lanes8_f16", "tenon_softmax_warp_f16", "tenon_softmax_block_f16", "tenon_softmax_long_f16",
         "tenon_softmax_sums_f16", "tenon_softmax_split_f16", "tenon_softmax_columns_f16",
         "tenon_softmax_columns4_f16"},
        {"tenon_softmax_lanes8_bf16", "tenon_softmax_warp_bf16", "tenon_softmax_block_bf16", "tenon_softmax_long_bf16",
         "tenon_softmax_sums_bf16", "tenon_softmax_split_bf16", "tenon_softmax_columns_bf16",
         "tenon_softmax_columns4_bf16"}};
    const char* const* name = names[a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2];
    const int64_t size = size_of_type(a.type), y_size = size_of_type(a.y_type), vector = 16 / size;

    if (a.inner > 1) {
        bool vectors = a.inner % 4 == 0 && aligned(a.x, 4 * size) && aligned(a.y, 4 * y_size);
        int64_t lanes = divide_up(a.inner, vectors ? 4 : 1);
        // A warp side by side, unless rows are shorter; wider when the axis is too short for the other threads.
        p.width = 1;
        while (p.width < lanes &&
               (p.width < 32 || (p.width < kSoftmaxThreads && a.axis * p.width < 4 * kSoftmaxThreads)))
            p.width *= 2;
        int64_t tiles = divide_up(lanes, p.width);
        if (tiles > INT32_MAX / a.outer) return planner.unsupported("outer * inner is too large");
        p.tiles = make_divisor(tiles);
        planner.launch(name[vectors ? kColumns4 : kColumns], {a.outer * tiles}, kSoftmaxThreads, 0, p);
        return planner.done();
    }
    if (a.outer > INT32_MAX) return planner.unsupported("outer is %lld; at most 2^31 - 1", (long long)a.outer);

    // A row that does not begin at a multiple of 16 bytes takes one access more.
    const int64_t accesses = divide_up(a.axis, vector) + 1, held = kSoftmaxItems / vector;
    if (accesses <= held * 8) {
        planner.launch(name[kLanes8], {divide_up(a.outer, kSoftmaxThreads / 8)}, kSoftmaxThreads, 0, p);
    } else if (accesses <= held * 32) {
        planner.launch(name[kWarp], {divide_up(a.outer, kSoftmaxThreads / 32)}, kSoftmaxThreads, 0, p);
    } else if (accesses <= held * kSoftmaxThreads) {
        planner.launch(name[kBlock], {a.outer}, kSoftmaxThreads, 0, p);
    } else {
        // Two blocks fit a multiprocessor. A second launch costs about what one block needs for 32768 elements.
        int64_t wanted = divide_up(2 * device->multiprocessors, a.outer);
        int64_t most = a.axis <= 32768 ? 1 : divide_up(accesses, held * kSoftmaxLongThreads);
        if (wanted < 2 || most < 2) {
            planner.launch(name[kLong], {a.outer}, kSoftmaxLongThreads, 0, p);
        } else {
            int64_t splits = wanted < most ? wanted : most;
            p.accesses_per_split = static_cast<int32_t>(divide_up(accesses, splits));
            p.splits = static_cast<int32_t>(divide_up(accesses, p.accesses_per_split));
            planner.workspace(a.outer * p.splits * 12);
            planner.launch(name[kSums], {a.outer * p.splits}, kSoftmaxLongThreads, 0, p);
            planner.launch(name[kSplit], {a.outer * p.splits}, kSoftmaxLongThreads, 0, p);
        }
    }
    return planner.done();
}
