#include "activation/activation.h"

#include "activation/activation_params.h"
#include "common/planner.h"

using namespace tenon::cuda;

int32_t tenon_cuda_activation_plan(const tenon_cuda_activation* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_activation& a = *args;
    bool quantized = a.y_type == TENON_CUDA_I8 || a.y_type == TENON_CUDA_F8E4M3;
    if (a.kind < TENON_CUDA_ACTIVATION_RELU || a.kind > TENON_CUDA_ACTIVATION_QUICK_GELU) {
        return planner.invalid("kind is %lld; expected 0 (relu) to 4 (quick_gelu)", (long long)a.kind);
    }
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.y_type != a.type && !quantized) {
        return planner.unsupported("y_type %lld; expected the type of x, I8 or F8E4M3", (long long)a.y_type);
    }
    if (quantized && !(a.y_scale >= 0x1p-126))
        return planner.invalid("y_scale is %g; expected at least 2^-126", a.y_scale);
    if (a.up_bias && !a.up) return planner.invalid("up_bias is given without up");
    if (a.rows < 0 || a.rows > INT32_MAX)
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    if (a.columns < 0 || a.columns > INT32_MAX)
        return planner.invalid("columns is %lld; expected 0 to 2^31 - 1", (long long)a.columns);
    if (a.rows == 0 || a.columns == 0) return planner.done();
    if (!a.x || !a.y) return planner.invalid("%s is null", a.x ? "y" : "x");

    const struct {
        const char* name;
        const void* pointer;
        int64_t stride, element_bytes;
    } tensors[] = {{"x", a.x, a.x_stride, size_of_type(a.type)},
                   {"up", a.up, a.up_stride, size_of_type(a.type)},
                   {"y", a.y, a.y_stride, size_of_type(a.y_type)}};
    bool one_row = !a.bias && !a.up_bias;
    for (auto& t : tensors) {
        if (!t.pointer) continue;
        if (t.stride < a.columns) {
            return planner.invalid("%s_stride is %lld; expected at least the %lld columns", t.name, (long long)t.stride,
                                   (long long)a.columns);
        }
        if (!fits(t.element_bytes, {{a.rows, t.stride}, {a.columns, 1}})) {
            return planner.unsupported("%s spans more than 2^40 bytes", t.name);
        }
        one_row = one_row && t.stride == a.columns;
    }
    // Without bias, rows that lie one after another are one row.
    int64_t rows = one_row ? 1 : a.rows, columns = one_row ? a.rows * a.columns : a.columns;
    int64_t vector = 16 / size_of_type(a.type);
    bool vectors = aligned(a.bias, 16) && aligned(a.up_bias, 16);
    for (auto& t : tensors) {
        if (!t.pointer) continue;
        vectors = vectors && aligned(t.pointer, vector * t.element_bytes) && (rows == 1 || t.stride % vector == 0);
    }

    ActivationParams p{};
    p.x = a.x;
    p.bias = a.bias;
    p.up = a.up;
    p.up_bias = a.up_bias;
    p.y = a.y;
    p.rows = rows;
    p.columns = columns;
    p.x_stride = a.x_stride;
    p.up_stride = a.up_stride;
    p.y_stride = a.y_stride;
    p.inverse_y_scale = quantized ? static_cast<float>(1.0 / a.y_scale) : 1.0f;
    p.kind = static_cast<int32_t>(a.kind);
    p.y_type = static_cast<int32_t>(a.y_type);

    static_assert(kActivationWarps == 1 << 3);
    // The shape of a block that leaves the fewest warps idle, the widest of them.
    int64_t tiles = divide_up(columns, 32 * kActivationItems * (vectors ? vector : 1)), blocks = 0;
    for (int32_t log2 = 3; log2 >= 0; log2--) {
        const int64_t across = 1 << log2;
        int64_t n = divide_up(tiles, across) * divide_up(rows, kActivationWarps / across);
        if (blocks != 0 && n >= blocks) continue;
        blocks = n;
        p.warps_across_log2 = log2;
        p.blocks_across = static_cast<uint32_t>(divide_up(tiles, across));
    }
    // No more than 2^31 - 1: 2^40 bytes are 2^39 elements, and a block takes a thousand, or eight rows.
    static const char* const names[3][2] = {{"tenon_activation_vector_f32", "tenon_activation_any_f32"},
                                            {"tenon_activation_vector_f16", "tenon_activation_any_f16"},
                                            {"tenon_activation_vector_bf16", "tenon_activation_any_bf16"}};
    int type = a.type == TENON_CUDA_F32 ? 0 : a.type == TENON_CUDA_F16 ? 1 : 2;
    planner.launch(names[type][vectors ? 0 : 1], {blocks}, kActivationWarps * 32, 0, p);
    return planner.done();
}
