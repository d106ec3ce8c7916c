#include "weight_only_gemm/weight_only_gemm.h"

#include <algorithm>

#include "common/planner.h"
#include "weight_only_gemm/weight_only_gemm_params.h"

using namespace tenon::cuda;

namespace {

// Shared memory of a block.
int64_t shared_bytes(const WeightOnlyTile& t, int64_t columns, int bits, int64_t groups, bool zero) {
    int64_t stages = t.stages * (t.weight_bytes + columns * t.x_row_bytes[bits / 8]);
    int64_t zeros = zero ? divide_up(groups * bits, 8) : 0;
    return std::max(stages + t.rows * (groups * 2 + zeros), int64_t{4} * t.k_warps * t.columns * t.sum_stride);
}

}  // namespace

int32_t tenon_cuda_weight_only_gemm_plan(const tenon_cuda_weight_only_gemm* args, const tenon_cuda_device* device,
                                         tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_weight_only_gemm& a = *args;
    const bool four = a.weight_type == TENON_CUDA_I4 || a.weight_type == TENON_CUDA_U4;
    const int bits = four ? 4 : 8;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (!four && a.weight_type != TENON_CUDA_I8 && a.weight_type != TENON_CUDA_U8) {
        return planner.unsupported("weight_type %lld; expected I4, U4, I8 or U8", (long long)a.weight_type);
    }
    if (a.m < 0) return planner.invalid("m is %lld; expected 0 or more", (long long)a.m);
    if (a.m > TENON_CUDA_WEIGHT_ONLY_GEMM_MAX_ROWS) {
        return planner.unsupported("m is %lld; from %d on, dequantize the weights and multiply in 16 bits",
                                   (long long)a.m, TENON_CUDA_WEIGHT_ONLY_GEMM_MAX_ROWS + 1);
    }
    if (a.n < 0 || a.n > 1 << 24) return planner.invalid("n is %lld; expected 0 to 2^24", (long long)a.n);
    if (a.m == 0 || a.n == 0) return planner.done();
    if (a.k < 1 || a.k > int64_t{1} << 30) return planner.invalid("k is %lld; expected 1 to 2^30", (long long)a.k);
    if (a.group < 1) return planner.invalid("group is %lld; expected 1 or more", (long long)a.group);
    if (a.x_stride < a.k) {
        return planner.invalid("x_stride is %lld; expected at least k, %lld", (long long)a.x_stride, (long long)a.k);
    }
    if (a.y_stride < a.n) {
        return planner.invalid("y_stride is %lld; expected at least n, %lld", (long long)a.y_stride, (long long)a.n);
    }
    if (a.weight_stride_bytes < divide_up(a.k * bits, 8)) {
        return planner.invalid("weight_stride_bytes is %lld; expected at least %lld", (long long)a.weight_stride_bytes,
                               (long long)divide_up(a.k * bits, 8));
    }
    const int64_t element = size_of_type(a.type);
    if (!fits(element, {{a.m, a.x_stride}, {a.k, 1}}) || !fits(element, {{a.m, a.y_stride}, {a.n, 1}}) ||
        !fits(1, {{a.n, a.weight_stride_bytes}, {divide_up(a.k * bits, 8), 1}})) {
        return planner.unsupported("x, weight or y spans more than 2^40 bytes");
    }
    const struct {
        const char* name;
        const void* pointer;
    } needed[] = {{"x", a.x}, {"weight", a.weight}, {"scale", a.scale}, {"y", a.y}};
    for (auto& tensor : needed) {
        if (!tensor.pointer) return planner.invalid("%s is null", tensor.name);
    }

    WeightOnlyParams p{};
    p.x = a.x;
    p.weight = a.weight;
    p.scale = a.scale;
    p.zero = a.zero;
    p.bias = a.bias;
    p.y = a.y;
    p.m = a.m;
    p.n = a.n;
    p.x_stride = a.x_stride;
    p.y_stride = a.y_stride;
    p.weight_stride_bytes = a.weight_stride_bytes;
    p.k = static_cast<int32_t>(a.k);
    p.group = static_cast<int32_t>(std::min(a.group, a.k));
    p.groups = static_cast<int32_t>(divide_up(a.k, p.group));
    p.flip = a.weight_type == TENON_CUDA_I4 ? 0x88888888u : a.weight_type == TENON_CUDA_I8 ? 0x80808080u : 0;

    // Groups begin at multiples of this power of two.
    const int64_t run = p.groups == 1 ? int64_t{1} << 31 : (a.group & (a.group - 1)) == 0 ? a.group : 1;
    p.group_shift = __builtin_ctzll(static_cast<uint64_t>(run));
    p.group_mask = static_cast<int32_t>(run - 1);
    const bool fp32 = a.type == TENON_CUDA_F32 && run >= 8 && a.k % 8 == 0 && a.x_stride % 4 == 0 &&
                      a.weight_stride_bytes % bits == 0 && aligned(a.x, 16) && aligned(a.weight, bits);
    const bool fast = a.type != TENON_CUDA_F32 && run >= 32 && a.k % 8 == 0 && a.x_stride % 8 == 0 &&
                      a.weight_stride_bytes % 16 == 0 && aligned(a.x, 16) && aligned(a.weight, 16) &&
                      aligned(a.scale, 16) && aligned(a.zero, 16);
    static const char* const names[6][5] = {
#define TENON_NAMES(types)                                                                                     \
    "tenon_weight_only_gemm_8_" types, "tenon_weight_only_gemm_16_" types, "tenon_weight_only_gemm_32_" types, \
        "tenon_weight_only_gemm_64_" types, "tenon_weight_only_gemm_any_" types
        {TENON_NAMES("f16_int4")},
        {TENON_NAMES("f16_int8")},
        {TENON_NAMES("bf16_int4")},
        {TENON_NAMES("bf16_int8")},
        {nullptr, nullptr, nullptr, nullptr, "tenon_weight_only_gemm_any_f32_int4"},
        {nullptr, nullptr, nullptr, nullptr, "tenon_weight_only_gemm_any_f32_int8"}};
#undef TENON_NAMES
    const auto& name = names[(a.type == TENON_CUDA_F16 ? 0 : a.type == TENON_CUDA_BF16 ? 2 : 4) + (four ? 0 : 1)];

    if (fast) {
        // The smallest tile that takes all rows of x at once, or a smaller one where that leaves most multiprocessors
        // without a block.
        int tile = a.m <= 2 ? 0 : a.m <= 16 ? 1 : a.m <= 32 ? 2 : 3;
        auto too_few = [&](const WeightOnlyTile& t, int64_t columns) {
            return divide_up(a.n, t.rows) * divide_up(a.m, columns) * 3 < device->multiprocessors;
        };
        while (tile > 0 && too_few(kWeightOnlyTiles[tile], kWeightOnlyTiles[tile].columns)) tile--;
        auto shared = [&](int tile, int64_t columns) {
            return shared_bytes(kWeightOnlyTiles[tile], columns, bits, p.groups, a.zero != nullptr);
        };
        auto fitting = [&](int tile) {  // rows of x for which shared memory suffices
            int64_t columns = std::min<int64_t>(a.m, kWeightOnlyTiles[tile].columns);
            while (columns > 0 && shared(tile, columns) > device->shared_bytes_per_block) columns--;
            return columns;
        };
        int64_t columns = fitting(tile);
        if (columns < std::min<int64_t>(a.m, kWeightOnlyTiles[tile].columns)) {
            // The fewest passes over the weights, in the smallest tile.
            int64_t passes = a.m + 1;
            for (int t = 0; t < 4; t++) {
                int64_t fit = fitting(t);
                if (fit == 0 || divide_up(a.m, fit) >= passes || (t > 0 && too_few(kWeightOnlyTiles[t], fit))) continue;
                passes = divide_up(a.m, fit);
                tile = t;
            }
            columns = passes <= a.m ? divide_up(a.m, passes) : 0;
        }
        if (columns > 0) {
            p.columns = static_cast<int32_t>(columns);
            p.column_tiles = static_cast<int32_t>(divide_up(a.m, columns));
            planner.launch(name[tile], {divide_up(a.n, kWeightOnlyTiles[tile].rows) * p.column_tiles},
                           kWeightOnlyThreads, shared(tile, columns), p);
            return planner.done();
        }
    }
    if (fp32) {
        p.column_tiles = static_cast<int32_t>(divide_up(a.m, 4));
        planner.launch(four ? "tenon_weight_only_gemm_fp32_int4" : "tenon_weight_only_gemm_fp32_int8",
                       {divide_up(a.n, 4 * kWeightOnlyWarps) * p.column_tiles}, kWeightOnlyThreads, 0, p);
        return planner.done();
    }
    p.column_tiles = static_cast<int32_t>(divide_up(a.m, 8));
    planner.launch(name[4], {divide_up(a.n, kWeightOnlyWarps) * p.column_tiles}, kWeightOnlyThreads, 0, p);
    return planner.done();
}
