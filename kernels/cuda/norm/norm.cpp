#include "norm/norm.h"

#include "common/planner.h"
#include "norm/norm_params.h"

using namespace tenon::cuda;

int32_t tenon_cuda_norm_plan(const tenon_cuda_norm* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_norm& a = *args;
    bool quantized = a.y_type == TENON_CUDA_I8 || a.y_type == TENON_CUDA_F8E4M3;
    if (a.kind != TENON_CUDA_NORM_LAYER && a.kind != TENON_CUDA_NORM_RMS) {
        return planner.invalid("kind is %lld; expected 0 (layer) or 1 (rms)", (long long)a.kind);
    }
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.y_type != a.type && !quantized) {
        return planner.unsupported("y_type %lld; expected the type of x, I8 or F8E4M3", (long long)a.y_type);
    }
    if (a.row_scale && !quantized) return planner.invalid("row_scale is given, but y is not quantized");
    if (quantized && !a.row_scale && !(a.y_scale >= 0x1p-126))
        return planner.invalid("y_scale is %g; expected at least 2^-126", a.y_scale);
    if (!(a.epsilon >= 0)) return planner.invalid("epsilon is %g; expected 0 or more", a.epsilon);
    if (a.rows < 0 || a.rows > INT32_MAX)
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    if (a.rows == 0) return planner.done();
    if (a.columns < 1 || a.columns > 1 << 30) {
        return planner.invalid("columns is %lld; expected 1 to 2^30", (long long)a.columns);
    }
    if (!a.x || !a.y) return planner.invalid("%s is null", a.x ? "y" : "x");
    const struct {
        const char* name;
        const void* pointer;
        int64_t stride, element_bytes;
    } tensors[] = {{"x", a.x, a.x_stride, size_of_type(a.type)},
                   {"residual", a.residual, a.residual_stride, size_of_type(a.type)},
                   {"sum", a.sum, a.sum_stride, size_of_type(a.type)},
                   {"y", a.y, a.y_stride, size_of_type(a.y_type)}};
    int64_t vector = 16 / size_of_type(a.type);
    bool vectors = a.columns % vector == 0 && aligned(a.scale, 16) && aligned(a.bias, 16);
    for (auto& t : tensors) {
        if (!t.pointer) continue;
        if (t.stride < a.columns) {
            return planner.invalid("%s_stride is %lld; expected at least the %lld columns", t.name, (long long)t.stride,
                                   (long long)a.columns);
        }
        if (!fits(t.element_bytes, {{a.rows, t.stride}, {a.columns, 1}})) {
            return planner.unsupported("%s spans more than 2^40 bytes", t.name);
        }
        vectors = vectors && t.stride % vector == 0 && aligned(t.pointer, vector * t.element_bytes);
    }

    NormParams p{};
    p.x = a.x;
    p.residual = a.residual;
    p.scale = a.scale;
    p.bias = a.bias;
    p.y = a.y;
    p.sum = a.sum;
    p.row_scale = a.row_scale;
    p.rows = a.rows;
    p.columns = a.columns;
    p.x_stride = a.x_stride;
    p.residual_stride = a.residual_stride;
    p.y_stride = a.y_stride;
    p.sum_stride = a.sum_stride;
    p.epsilon = static_cast<float>(a.epsilon);
    p.inverse_y_scale = quantized && !a.row_scale ? static_cast<float>(1.0 / a.y_scale) : 1.0f;
    p.kind = static_cast<int32_t>(a.kind);
    p.y_type = static_cast<int32_t>(a.y_type);

    static const char* const names[3][4] = {
        {"tenon_norm_lanes_f32", "tenon_norm_warp_f32", "tenon_norm_block_f32", "tenon_norm_any_f32"},
        {"tenon_norm_lanes_f16", "tenon_norm_warp_f16", "tenon_norm_block_f16", "tenon_norm_any_f16"},
        {"tenon_norm_lanes_bf16", "tenon_norm_warp_bf16", "tenon_norm_block_bf16", "tenon_norm_any_bf16"}};
    int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    NormGeometry g = norm_geometry(a.rows, a.columns, vector, vectors, true);
    p.lanes = g.lanes;
    planner.launch(names[type][g.kernel], {g.blocks}, g.threads, 0, p);
    return planner.done();
}
