#include "quantize/quantize.h"

#include "common/planner.h"
#include "quantize/quantize_params.h"

using namespace tenon::cuda;

namespace {

bool is_quantized(int64_t type) {
    return type == TENON_CUDA_I8 || type == TENON_CUDA_U8 || type == TENON_CUDA_F8E4M3 || type == TENON_CUDA_F8E5M2 ||
           type == TENON_CUDA_I4 || type == TENON_CUDA_U4;
}

int name_index(int64_t type) {
    return type == TENON_CUDA_F32 ? 0 : type == TENON_CUDA_F16 ? 1 : 2;
}

// Adds the launches for checked arguments: vectors as far as they go, the rest element by element.
int32_t plan_quantize(Planner& planner, const tenon_cuda_quantize& a) {
    const bool forward = is_float(a.x_type);
    const int64_t float_type = forward ? a.x_type : a.y_type, type = forward ? a.y_type : a.x_type;
    const void* const floats = forward ? a.x : a.y;
    const void* const bytes = forward ? a.y : a.x;
    const bool four_bits = type == TENON_CUDA_I4 || type == TENON_CUDA_U4;
    const int64_t float_bytes = size_of_type(float_type), n = a.outer * a.axis * a.inner, v = kQuantizeVector;

    QuantizeParams p{};
    p.x = a.x;
    p.y = a.y;
    p.scale = a.scale;
    p.zero = a.zero;
    p.type = static_cast<int32_t>(type);
    p.scale_is_float = a.scale_type == TENON_CUDA_F32;
    // One group: one axis of one element.
    const bool one = a.block == 0 && a.axis == 1;
    p.axis = a.axis;
    p.inner = one ? n : a.inner;
    p.block = a.block ? a.block : 1;
    p.inner_stride = a.block ? 1 : 0;
    p.axis_stride = a.block ? a.inner : 1;
    p.outer_stride = a.block ? divide_up(a.axis, a.block) * a.inner : 0;
    p.wide = n > INT32_MAX;
    if (!p.wide) {
        p.axis_divisor = make_divisor(p.axis);
        p.inner_divisor = make_divisor(p.inner);
        p.block_divisor = make_divisor(p.block > INT32_MAX ? INT32_MAX : p.block);
    }
    // Which group an element has changes along the innermost axis of more than one element.
    const bool last = p.inner == 1;
    p.groups_vary = last ? p.block == 1 : p.inner_stride == 1;
    bool vectors = one || (last ? a.axis % v == 0 && (p.block == 1 || p.block % v == 0) : p.inner % v == 0);
    vectors = vectors && aligned(floats, 16) && aligned(bytes, four_bits ? 4 : 8);
    // Groups by 64-bit divisions: element by element only.
    vectors = vectors && (one || !p.wide);
    if (p.groups_vary) vectors = vectors && aligned(a.scale, 16) && aligned(a.zero, four_bits ? 4 : 8);

    static const char* const names[2][2][3] = {
        {{"tenon_dequantize_any_f32", "tenon_dequantize_any_f16", "tenon_dequantize_any_bf16"},
         {"tenon_dequantize_vector_f32", "tenon_dequantize_vector_f16", "tenon_dequantize_vector_bf16"}},
        {{"tenon_quantize_any_f32", "tenon_quantize_any_f16", "tenon_quantize_any_bf16"},
         {"tenon_quantize_vector_f32", "tenon_quantize_vector_f16", "tenon_quantize_vector_bf16"}}};
    auto launch = [&](bool by_vectors, int64_t begin, int64_t end, int64_t elements_of_item) {
        p.begin = begin;
        p.end = end;
        int64_t of_block = kQuantizeThreads * (8 / float_bytes) * elements_of_item;
        planner.launch(names[forward][by_vectors][name_index(float_type)], {divide_up(end - begin, of_block)},
                       kQuantizeThreads, 0, p);
    };
    const int64_t whole = vectors ? n / v * v : 0;
    if (whole > 0) launch(true, 0, whole, v);
    if (whole < n) launch(false, whole, n, four_bits ? 2 : 1);
    return planner.done();
}

}  // namespace

int32_t tenon_cuda_quantize_plan(const tenon_cuda_quantize* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_quantize& a = *args;
    if (!(is_float(a.x_type) && is_quantized(a.y_type)) && !(is_quantized(a.x_type) && is_float(a.y_type))) {
        return planner.unsupported(
            "x_type %lld and y_type %lld; expected one of F32, F16, BF16 and one of I8, U8, "
            "F8E4M3, F8E5M2, I4, U4",
            (long long)a.x_type, (long long)a.y_type);
    }
    if (a.scale_type != TENON_CUDA_F32 && a.scale_type != (is_float(a.x_type) ? a.x_type : a.y_type)) {
        return planner.unsupported("scale_type %lld; expected F32 or the float tensor's type", (long long)a.scale_type);
    }
    if (a.outer < 0 || a.axis < 0 || a.inner < 0 || a.block < 0) {
        return planner.invalid("outer, axis, inner, block are %lld, %lld, %lld, %lld; expected 0 or more",
                               (long long)a.outer, (long long)a.axis, (long long)a.inner, (long long)a.block);
    }
    if (a.outer == 0 || a.axis == 0 || a.inner == 0) return planner.done();
    // As many as the float side may have at four bytes.
    if (!fits(4, {a.outer, a.axis, a.inner})) return planner.unsupported("more than 2^38 elements");
    if (!a.x || !a.y || !a.scale) return planner.invalid("%s is null", !a.x ? "x" : !a.y ? "y" : "scale");
    return plan_quantize(planner, a);
}

int32_t tenon_cuda_quantize_rows_plan(const tenon_cuda_quantize_rows* args, const tenon_cuda_device*,
                                      tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_quantize_rows& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.y_type != TENON_CUDA_I8 && a.y_type != TENON_CUDA_F8E4M3) {
        return planner.unsupported("y_type %lld; expected I8 or F8E4M3", (long long)a.y_type);
    }
    if (a.rows < 0 || a.rows > INT32_MAX) {
        return planner.invalid("rows is %lld; expected 0 to 2^31 - 1", (long long)a.rows);
    }
    if (a.rows == 0) return planner.done();
    if (a.columns < 1 || a.columns > INT32_MAX) {
        return planner.invalid("columns is %lld; expected 1 to 2^31 - 1", (long long)a.columns);
    }
    if (!a.x || !a.y || !a.row_scale) return planner.invalid("%s is null", !a.x ? "x" : !a.y ? "y" : "row_scale");
    if (a.x_stride < a.columns || a.y_stride < a.columns) {
        return planner.invalid("x_stride is %lld, y_stride %lld; expected at least the %lld columns",
                               (long long)a.x_stride, (long long)a.y_stride, (long long)a.columns);
    }
    if (!fits(size_of_type(a.type), {{a.rows, a.x_stride}, {a.columns, 1}}) ||
        !fits(1, {{a.rows, a.y_stride}, {a.columns, 1}})) {
        return planner.unsupported("x or y spans more than 2^40 bytes");
    }
    const int64_t v = 16 / size_of_type(a.type);
    const bool vectors =
        a.columns % v == 0 && a.x_stride % v == 0 && a.y_stride % v == 0 && aligned(a.x, 16) && aligned(a.y, v);
    const bool warp = vectors && a.columns <= 32 * kQuantizeRowItems * v;
    QuantizeRowsParams p{a.x,       a.y,        a.row_scale, a.rows,
                         a.columns, a.x_stride, a.y_stride,  static_cast<int32_t>(a.y_type)};
    static const char* const names[3][3] = {
        {"tenon_quantize_rows_any_f32", "tenon_quantize_rows_any_f16", "tenon_quantize_rows_any_bf16"},
        {"tenon_quantize_rows_block_f32", "tenon_quantize_rows_block_f16", "tenon_quantize_rows_block_bf16"},
        {"tenon_quantize_rows_warp_f32", "tenon_quantize_rows_warp_f16", "tenon_quantize_rows_warp_bf16"}};
    planner.launch(names[warp ? 2 : vectors][name_index(a.type)],
                   {warp ? divide_up(a.rows, kQuantizeThreads / 32) : a.rows}, kQuantizeThreads, 0, p);
    return planner.done();
}

int32_t tenon_cuda_quantize_dynamic_plan(const tenon_cuda_quantize_dynamic* args, const tenon_cuda_device* device,
                                         tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_quantize_dynamic& a = *args;
    if (!is_float(a.type)) return planner.unsupported("type %lld; expected F32, F16 or BF16", (long long)a.type);
    if (a.n < 0 || a.n > int64_t{1} << 38) {
        return planner.invalid("n is %lld; expected 0 to 2^38", (long long)a.n);
    }
    if (!a.scale || !a.zero) return planner.invalid("%s is null", a.scale ? "zero" : "scale");
    if (a.n > 0 && (!a.x || !a.y)) return planner.invalid("%s is null", a.x ? "y" : "x");

    const int64_t most = 4 * device->multiprocessors, wanted = divide_up(a.n, kQuantizeThreads * 32);
    RangeParams p{};
    p.x = a.x;
    p.ranges = static_cast<float*>(a.workspace);
    p.scale = a.scale;
    p.zero = a.zero;
    p.n = a.n;
    p.blocks = static_cast<int32_t>(wanted < most ? wanted : most);
    p.vectors = aligned(a.x, 16);
    planner.workspace(p.blocks * 2 * static_cast<int64_t>(sizeof(float)));
    static const char* const names[] = {"tenon_quantize_range_f32", "tenon_quantize_range_f16",
                                        "tenon_quantize_range_bf16"};
    if (a.n > 0) planner.launch(names[name_index(a.type)], {p.blocks}, kQuantizeThreads, 0, p);
    planner.launch("tenon_quantize_range_finish", {1}, kQuantizeThreads, 0, p);
    if (a.n == 0) return planner.done();
    return plan_quantize(planner, {a.x, a.y, a.scale, a.zero, a.type, TENON_CUDA_U8, TENON_CUDA_F32, 1, 1, a.n, 0});
}
