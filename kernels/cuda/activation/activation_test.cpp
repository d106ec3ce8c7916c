// activation_plan and its kernels under the SIMT shim against a double reference.
#include "activation/activation.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);
const tenon_cuda_device device = hopper();

double reference(int64_t kind, double v) {
    switch (kind) {
        case TENON_CUDA_ACTIVATION_RELU:
            return std::isnan(v) ? v : std::fmax(v, 0);
        case TENON_CUDA_ACTIVATION_GELU:
            return v == -INFINITY ? 0 : v * std::erfc(-v / std::sqrt(2.0)) / 2;
        case TENON_CUDA_ACTIVATION_GELU_TANH:
            return v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))) / 2;
        case TENON_CUDA_ACTIVATION_SILU:
            return v / (1 + std::exp(-v));
        default:
            return v / (1 + std::exp(-1.702 * v));
    }
}

struct Case {
    int64_t kind, rows, columns;
    bool bias = false, up = false, up_bias = false;
    bool halves = false;                    // gate and up are the halves of one tensor
    int64_t misalignment = 0, padding = 0;  // in elements; padding widens the strides
    bool special = false, in_place = false;
};

template <class T, class Y>
void check(const Case& c) {
    where = "activation type " + std::to_string(type_code<T>()) + " to " + std::to_string(type_code<Y>()) + " kind " +
            std::to_string(c.kind) + " " + std::to_string(c.rows) + "x" + std::to_string(c.columns) +
            (c.bias ? " bias" : "") + (c.up ? " up" : "") + (c.up_bias ? " up_bias" : "") +
            (c.halves ? " halves" : "") + (c.special ? " special" : "") + (c.in_place ? " in place" : "") +
            " misaligned by " + std::to_string(c.misalignment);
    int64_t y_stride = c.columns + c.padding, x_stride = c.halves ? 2 * c.columns : y_stride;
    auto elements = [&](int64_t stride, int64_t columns) { return c.rows == 0 ? 0 : (c.rows - 1) * stride + columns; };
    Buffer<T> x(elements(x_stride, c.halves ? 2 * c.columns : c.columns), c.misalignment);
    Buffer<T> up(elements(x_stride, c.columns), c.misalignment);
    Buffer<T> bias(c.columns, c.misalignment), up_bias(c.columns, c.misalignment);
    Buffer<Y> own_y(elements(y_stride, c.columns), c.misalignment);
    fill(x, rng, 3.0, c.special);
    fill(up, rng, 1.0, c.special);
    fill(bias, rng);
    fill(up_bias, rng);
    std::vector<T> gate_values(x.data(), x.data() + x.size());

    tenon_cuda_activation a{};
    a.x = x.data();
    a.bias = c.bias ? bias.data() : nullptr;
    a.up = !c.up ? nullptr : c.halves ? x.data() + c.columns : up.data();
    a.up_bias = c.up_bias ? up_bias.data() : nullptr;
    a.y = c.in_place ? static_cast<void*>(x.data()) : own_y.data();
    a.kind = c.kind;
    a.type = type_code<T>();
    a.y_type = type_code<Y>();
    a.rows = c.rows;
    a.columns = c.columns;
    a.x_stride = a.up_stride = x_stride;
    a.y_stride = y_stride;
    a.y_scale = 0.05;
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_activation_plan(&a, &device, plan); }, rng());

    constexpr bool int8 = std::is_same_v<Y, int8_t>, quantized = sizeof(Y) == 1;
    const Y* y = static_cast<const Y*>(a.y);
    for (int64_t r = 0; r < c.rows; r++) {
        for (int64_t i = 0; i < c.columns; i++) {
            size_t at = static_cast<size_t>(r * x_stride + i);
            double v = to_float(gate_values[at]), u = 1;
            if (c.bias) v = static_cast<float>(v) + to_float(bias[i]);
            if (c.up) {
                u = c.halves ? to_float(gate_values[at + static_cast<size_t>(c.columns)])
                             : to_float(up[static_cast<int64_t>(at)]);
            }
            if (c.up_bias) u = static_cast<float>(u) + to_float(up_bias[i]);
            double f = reference(c.kind, v), want = f * u;
            if (std::isinf(u) && std::fabs(f) < 1e-10) continue;  // infinity times what may round to 0
            double relative = (sizeof(T) == 4 ? 6e-6 : 0x1p-14) + 1.01 * epsilon<Y>();
            double absolute = 1e-11 * std::fmax(1, std::fabs(u));
            if (std::is_same_v<Y, f16>) absolute += 0x1p-25;  // subnormal results
            if (quantized) {
                want = std::isnan(want) && int8 ? 0 : want / 0.05;
                if (!std::isnan(want)) want = std::fmin(std::fmax(want, int8 ? -128 : -448), int8 ? 127 : 448);
                relative = int8 ? 0x1p-14 : relative;
                absolute = int8 ? 0.5005 : 1e-3;
            } else if (std::is_same_v<Y, f16> && std::fabs(want) > 65504) {
                continue;
            }
            double got = to_float(y[r * y_stride + i]);
            if (!close(got, want, relative, absolute)) {
                fail("y[%lld, %lld] is %.9g; expected %.9g (f(%.9g) * %.9g)", (long long)r, (long long)i, got, want, v,
                     u);
            }
        }
    }
}

template <class T>
void check_type() {
    constexpr int64_t v = 16 / sizeof(T), tile = 128 * v;
    for (int64_t kind = TENON_CUDA_ACTIVATION_RELU; kind <= TENON_CUDA_ACTIVATION_QUICK_GELU; kind++) {
        check<T, T>({.kind = kind, .rows = 5, .columns = 3 * v, .bias = true, .special = true});
        check<T, T>({.kind = kind, .rows = 3, .columns = 2 * v + 3, .up = true, .special = true});
        check<T, T>({.kind = kind, .rows = 2, .columns = tile + v, .bias = true, .up = true, .up_bias = true});
        check<T, int8_t>({.kind = kind, .rows = 3, .columns = 5 * v, .bias = true, .up = true});
        check<T, f8e4m3>({.kind = kind, .rows = 2, .columns = 5 * v + 1, .special = true});
    }
    const int64_t gelu = TENON_CUDA_ACTIVATION_GELU, silu = TENON_CUDA_ACTIVATION_SILU;
    for (int64_t columns :
         {int64_t{0}, int64_t{1}, v - 1, v, v + 1, 2 * v + 3, tile - 1, tile, tile + 1, 9 * tile + 5}) {
        check<T, T>({.kind = gelu, .rows = 1, .columns = columns, .bias = true});
        check<T, T>({.kind = gelu, .rows = 3, .columns = columns, .bias = true});
        check<T, T>({.kind = silu, .rows = 7, .columns = columns});
        check<T, T>({.kind = silu, .rows = 2, .columns = columns, .up = true, .halves = true});
    }
    check<T, T>({.kind = gelu, .rows = 0, .columns = 8});
    check<T, T>({.kind = gelu, .rows = 19, .columns = 2 * v, .bias = true, .padding = v});
    check<T, T>({.kind = gelu, .rows = 3, .columns = 2 * tile, .bias = true, .padding = 1});
    check<T, T>({.kind = silu, .rows = 2, .columns = 4 * v, .up = true, .misalignment = 1});
    check<T, T>({.kind = silu, .rows = 4, .columns = tile, .bias = true, .up = true, .halves = true});
    check<T, T>({.kind = silu, .rows = 3, .columns = tile + 1, .up = true, .in_place = true});
    check<T, int8_t>({.kind = silu, .rows = 3, .columns = 2 * v, .up = true, .misalignment = 1, .special = true});
}

// gelu over its whole range, as exactly as the header promises.
template <class T>
void check_gelu() {
    where = "gelu type " + std::to_string(type_code<T>());
    const int64_t n = 4001;
    Buffer<T> x(n);
    for (int64_t i = 0; i < n; i++) x[i] = from_float<T>(static_cast<float>(i - 2000) * 0.0075f);
    Buffer<T> y(n);
    tenon_cuda_activation a{};
    a.x = x.data();
    a.y = y.data();
    a.kind = TENON_CUDA_ACTIVATION_GELU;
    a.type = a.y_type = type_code<T>();
    a.rows = 1;
    a.columns = a.x_stride = a.y_stride = n;
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_activation_plan(&a, &device, plan); }, 1);
    for (int64_t i = 0; i < n; i++) {
        double v = to_float(x[i]), want = reference(a.kind, v), got = to_float(y[i]);
        double promised = sizeof(T) == 4 ? 3e-6 : 0x1p-14;
        double subnormal = std::is_same_v<T, f16> ? 0x1p-25 : 0;
        if (!close(got, want, promised + 1.001 * epsilon<T>(), 1e-11 + subnormal)) {
            fail("gelu(%.9g) is %.9g; expected %.9g", v, got, want);
        }
        if (sizeof(T) == 4 && v > 0 && !close(got, want, 2e-7, 0)) fail("gelu(%.9g) is %.9g; not %.9g", v, got, want);
    }
}

void check_refusals() {
    where = "activation refusals";
    Buffer<float> x(64), y(64), bias(16);
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_activation a{};
        a.x = x.data();
        a.y = y.data();
        a.type = a.y_type = TENON_CUDA_F32;
        a.rows = 4;
        a.columns = a.x_stride = a.y_stride = 16;
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_activation_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "kind is 5", [](auto& a) { a.kind = 5; });
    refused(invalid, "kind is -1", [](auto& a) { a.kind = -1; });
    refused(unsupported, "type 11", [](auto& a) { a.type = 11; });
    refused(unsupported, "y_type 2", [](auto& a) { a.y_type = TENON_CUDA_U8; });
    refused(invalid, "y_scale is 0", [](auto& a) { a.y_type = TENON_CUDA_I8; });
    // Its inverse would be infinite.
    refused(invalid, "y_scale is 1e-40", [](auto& a) { a.y_type = TENON_CUDA_I8, a.y_scale = 1e-40; });
    refused(invalid, "up_bias is given without up", [&](auto& a) { a.up_bias = bias.data(); });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "rows is 2147483648", [](auto& a) { a.rows = int64_t{1} << 31; });
    refused(invalid, "columns is -1", [](auto& a) { a.columns = -1; });
    refused(invalid, "columns is 2147483648", [](auto& a) { a.columns = int64_t{1} << 31; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(invalid, "x_stride is 15", [](auto& a) { a.x_stride = 15; });
    refused(invalid, "up_stride is 0", [&](auto& a) { a.up = y.data(); });
    refused(invalid, "y_stride is 15", [](auto& a) { a.y_stride = 15; });
    refused(unsupported, "x spans more than 2^40 bytes", [](auto& a) { a.x_stride = INT64_MAX; });
    refused(unsupported, "y spans more than 2^40 bytes", [](auto& a) { a.y_stride = int64_t{1} << 37; });
    refused(unsupported, "x spans more", [](auto& a) { a.rows = a.columns = a.x_stride = a.y_stride = INT32_MAX; });
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_gelu<float>();
    check_gelu<f16>();
    check_gelu<bf16>();
    check_refusals();
    return result("tenon_activation");
}
