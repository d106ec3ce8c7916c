#include "reduce/reduce.h"

#include <utility>

#include "common/planner.h"
#include "reduce/reduce_params.h"

using namespace tenon::cuda;

namespace {

enum Fold { kSum, kMax, kProduct, kLogSumExp, kPosition, kIntegerSum, kIntegerMax };

// Kernel names, by fold and type (f32, f16, bf16; i32, i64).
struct Names {
    const char *rows[3], *columns[3], *columns4[3], *finish[3];
};
#define TENON_NAMES(form, fold)                                                     \
    {                                                                               \
        "tenon_reduce_" form "_" fold "_f32", "tenon_reduce_" form "_" fold "_f16", \
            "tenon_reduce_" form "_" fold "_bf16"                                   \
    }
#define TENON_FOLD(fold, f16_state)                                                               \
    {                                                                                             \
        TENON_NAMES("rows", fold), TENON_NAMES("columns", fold), TENON_NAMES("columns4", fold), { \
            "tenon_reduce_finish_" fold "_f32", "tenon_reduce_finish_" fold "_" f16_state,        \
                "tenon_reduce_finish_" fold "_" f16_state                                         \
        }                                                                                         \
    }
#define TENON_INTEGER_FOLD(fold)                                                                       \
    {                                                                                                  \
        {}, {"tenon_reduce_columns_" fold "_i32", "tenon_reduce_columns_" fold "_i64", nullptr}, {}, { \
            "tenon_reduce_finish_" fold "_i32", "tenon_reduce_finish_" fold "_i64", nullptr            \
        }                                                                                              \
    }
const Names names[] = {TENON_FOLD("sum", "f32"),         TENON_FOLD("max", "f32"),      TENON_FOLD("product", "f32"),
                       TENON_FOLD("log_sum_exp", "f16"), TENON_FOLD("position", "f32"), TENON_INTEGER_FOLD("sum"),
                       TENON_INTEGER_FOLD("max")};

constexpr int64_t state_bytes(Fold fold) {
    return fold == kLogSumExp ? 12 : fold == kPosition || fold == kIntegerSum || fold == kIntegerMax ? 8 : 4;
}

}  // namespace

int32_t tenon_cuda_reduce_plan(const tenon_cuda_reduce* args, const tenon_cuda_device* device, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_reduce& a = *args;
    const bool position = a.kind == TENON_CUDA_REDUCE_ARG_MAX || a.kind == TENON_CUDA_REDUCE_ARG_MIN;
    const bool integer = a.type == TENON_CUDA_I32 || a.type == TENON_CUDA_I64;
    Fold fold;
    switch (a.kind) {
        case TENON_CUDA_REDUCE_SUM:
        case TENON_CUDA_REDUCE_L1:
        case TENON_CUDA_REDUCE_SUM_SQUARE:
            fold = integer ? kIntegerSum : kSum;
            break;
        case TENON_CUDA_REDUCE_MEAN:
        case TENON_CUDA_REDUCE_L2:
        case TENON_CUDA_REDUCE_LOG_SUM:
            fold = kSum;
            break;
        case TENON_CUDA_REDUCE_MAX:
        case TENON_CUDA_REDUCE_MIN:
            fold = integer ? kIntegerMax : kMax;
            break;
        case TENON_CUDA_REDUCE_PROD:
            fold = kProduct;
            break;
        case TENON_CUDA_REDUCE_LOG_SUM_EXP:
            fold = kLogSumExp;
            break;
        case TENON_CUDA_REDUCE_ARG_MAX:
        case TENON_CUDA_REDUCE_ARG_MIN:
            fold = kPosition;
            break;
        default:
            return planner.invalid("kind is %lld; expected TENON_CUDA_REDUCE_*", (long long)a.kind);
    }
    if (integer && fold != kIntegerSum && fold != kIntegerMax) {
        return planner.unsupported("kind %lld of integers; expected SUM, MAX, MIN, L1 or SUM_SQUARE",
                                   (long long)a.kind);
    }
    if (!integer && !is_float(a.type)) {
        return planner.unsupported("type %lld; expected F32, F16, BF16, I32 or I64", (long long)a.type);
    }
    if (position && a.y_type != TENON_CUDA_I64)
        return planner.invalid("y_type is %lld; expected I64", (long long)a.y_type);
    if (!position && a.y_type != a.type && (integer || a.y_type != TENON_CUDA_F32)) {
        return planner.unsupported("y_type %lld; expected the type of x%s", (long long)a.y_type,
                                   integer ? "" : " or F32");
    }
    for (auto [name, value] : {std::pair("outer", a.outer), {"axis", a.axis}, {"inner", a.inner}}) {
        if (value < 0) return planner.invalid("%s is %lld; expected 0 or more", name, (long long)value);
    }
    if (a.outer == 0 || a.inner == 0) return planner.done();
    if (position && a.axis == 0) return planner.invalid("axis is 0; a position needs an element");
    if (a.axis > kMostAxis) return planner.unsupported("axis is %lld; at most 2^31 - 2^14", (long long)a.axis);
    if (!fits(size_of_type(a.type), {a.outer, a.axis, a.inner}) || !fits(size_of_type(a.y_type), {a.outer, a.inner})) {
        return planner.unsupported("x or y has more than 2^40 bytes");
    }
    if ((!a.x && a.axis != 0) || !a.y) return planner.invalid("%s is null", a.y ? "x" : "y");

    const bool falling = a.kind == TENON_CUDA_REDUCE_MIN || a.kind == TENON_CUDA_REDUCE_ARG_MIN;
    ReduceParams p{};
    p.x = a.x;
    p.y = a.y;
    p.partial = a.workspace;
    p.outer = a.outer;
    p.inner = a.inner;
    p.axis = static_cast<int32_t>(a.axis);
    p.splits = 1;
    p.kind = static_cast<int32_t>(a.kind);
    p.y_type = static_cast<int32_t>(a.y_type);
    p.clear = a.kind == TENON_CUDA_REDUCE_L1 ? 0x80000000u : 0;
    p.flip = falling ? 0x80000000u : 0;
    p.square = a.kind == TENON_CUDA_REDUCE_L2 || a.kind == TENON_CUDA_REDUCE_SUM_SQUARE;
    p.index_flip = a.select_last ? 0 : 0xffffffffu;

    const Names& name = names[fold];
    const int type = integer                    ? a.type == TENON_CUDA_I64
                     : a.type == TENON_CUDA_F32 ? 0
                     : a.type == TENON_CUDA_F16 ? 1
                                                : 2;
    const int64_t size = size_of_type(a.type);
    const bool rows = a.inner == 1 && !integer;
    // What splitting counts: accesses of a row or elements along the axis; how many keep a block busy; blocks without
    // splits.
    int64_t along, busy, blocks;
    const char* kernel;
    if (rows) {
        const int64_t held = kReduceItems;
        along = divide_up(a.axis, 16 / size) + 1;  // a row that begins between multiples of 16 bytes takes one more
        p.width = 1;
        while (p.width < 32 && p.width * held < along) p.width *= 2;
        if (p.width * held < along) p.width = kReduceThreads;
        busy = held * kReduceThreads;
        blocks = divide_up(a.outer, kReduceThreads / p.width);
        kernel = name.rows[type];
    } else {
        const bool vectors = !integer && a.inner % 4 == 0 && aligned(a.x, 4 * size);
        const int64_t lanes = divide_up(a.inner, vectors ? 4 : 1);
        p.width = 1;
        while (p.width < lanes &&
               (p.width < 32 || (p.width < kReduceThreads && a.axis * p.width < 8 * kReduceThreads))) {
            p.width *= 2;
        }
        const int64_t tiles = divide_up(lanes, p.width);
        if (tiles > INT32_MAX / a.outer) return planner.unsupported("outer * inner is too large");
        p.tiles = make_divisor(tiles);
        along = a.axis;
        busy = 8 * (kReduceThreads / p.width);
        blocks = a.outer * tiles;
        kernel = (vectors ? name.columns4 : name.columns)[type];
    }
    if (blocks > INT32_MAX) return planner.unsupported("outer is %lld; too large", (long long)a.outer);
    p.per_split = static_cast<int32_t>(along > 0 ? along : 1);
    // A second launch costs about what a block needs for eight rounds.
    if (blocks < 2 * device->multiprocessors && along > 8 * busy && (p.width == kReduceThreads || !rows)) {
        int64_t splits = divide_up(4 * device->multiprocessors, blocks);
        if (splits > divide_up(along, busy)) splits = divide_up(along, busy);
        p.per_split = static_cast<int32_t>(divide_up(along, splits));
        p.splits = static_cast<int32_t>(divide_up(along, p.per_split));
    }
    planner.launch(kernel, {blocks * p.splits}, kReduceThreads, 0, p);
    if (p.splits > 1) {
        planner.workspace(a.outer * p.splits * a.inner * state_bytes(fold));
        planner.launch(name.finish[type], {divide_up(a.outer * a.inner, kReduceThreads / 32)}, kReduceThreads, 0, p);
    }
    return planner.done();
}
