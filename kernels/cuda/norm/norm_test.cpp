// norm_plan and its kernels under the SIMT shim against a double reference.
#include "norm/norm.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(7);

struct Case {
    int64_t rows, columns;
    int64_t kind = TENON_CUDA_NORM_LAYER;
    bool residual = false, scale = true, bias = true, sum = false;
    int64_t y_type = 0;  // 0: as x
    bool row_scale = false;
    int64_t misalignment = 0, padding = 0;  // in elements; padding widens the strides
    bool special = false;
};

// The reference of one row: n, and s as the kernel must store it.
template <class T>
void reference_row(const Case& c, const T* x, const T* residual, const T* scale, const T* bias, double epsilon,
                   std::vector<double>& n, std::vector<double>& s) {
    size_t columns = static_cast<size_t>(c.columns);
    s.resize(columns);
    n.resize(columns);
    double mean = 0, squares = 0;
    for (size_t i = 0; i < columns; i++) {
        float v = to_float(x[i]) + (residual ? to_float(residual[i]) : 0.0f);
        s[i] = residual ? to_float(from_float<T>(v)) : v;
        mean += s[i];
    }
    mean = c.kind == TENON_CUDA_NORM_LAYER ? mean / static_cast<double>(c.columns) : 0;
    for (double v : s) squares += (v - mean) * (v - mean);
    double inverse = 1 / std::sqrt(squares / static_cast<double>(c.columns) + epsilon);
    for (size_t i = 0; i < columns; i++) {
        n[i] = (s[i] - mean) * inverse * (scale ? to_float(scale[i]) : 1.0) + (bias ? to_float(bias[i]) : 0.0);
    }
}

template <class T, class Y>
void check(const Case& c) {
    where = "norm type " + std::to_string(type_code<T>()) + " to " + std::to_string(type_code<Y>()) + " kind " +
            std::to_string(c.kind) + " " + std::to_string(c.rows) + "x" + std::to_string(c.columns) +
            (c.residual ? " residual" : "") + (c.sum ? " sum" : "") + (c.row_scale ? " row_scale" : "") +
            (c.special ? " special" : "") + " misaligned by " + std::to_string(c.misalignment);
    int64_t stride = c.columns + c.padding;
    auto elements = [&] { return c.rows == 0 ? 0 : (c.rows - 1) * stride + c.columns; };
    Buffer<T> x(elements(), c.misalignment), residual(elements(), c.misalignment), scale(c.columns, c.misalignment),
        bias(c.columns, c.misalignment), sum(elements(), c.misalignment);
    Buffer<Y> y(elements(), c.misalignment);
    Buffer<float> row_scale(c.rows);
    fill(x, rng, 2.0, c.special);
    fill(residual, rng, 1.0, c.special);
    fill(scale, rng);
    fill(bias, rng);

    tenon_cuda_norm a{};
    a.x = x.data();
    a.residual = c.residual ? residual.data() : nullptr;
    a.scale = c.scale ? scale.data() : nullptr;
    a.bias = c.bias ? bias.data() : nullptr;
    a.y = y.data();
    a.sum = c.sum ? sum.data() : nullptr;
    a.row_scale = c.row_scale ? row_scale.data() : nullptr;
    a.kind = c.kind;
    a.type = type_code<T>();
    a.y_type = type_code<Y>();
    a.rows = c.rows;
    a.columns = c.columns;
    a.x_stride = a.residual_stride = a.y_stride = a.sum_stride = stride;
    a.epsilon = 1e-5;
    a.y_scale = 0.03;
    tenon_cuda_device device = hopper();
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_norm_plan(&a, &device, plan); }, rng());

    constexpr bool quantized = sizeof(Y) == 1;
    constexpr double limit = std::is_same_v<Y, int8_t> ? 127 : 448;
    std::vector<double> n, s;
    for (int64_t r = 0; r < c.rows; r++) {
        reference_row<T>(c, &x[r * stride], c.residual ? &residual[r * stride] : nullptr,
                         c.scale ? scale.data() : nullptr, c.bias ? bias.data() : nullptr, 1e-5, n, s);
        double q = quantized ? a.y_scale : 1.0;
        if (c.row_scale) {
            double largest = 0;
            for (double v : n) largest = std::isnan(v) || std::fabs(v) > largest ? std::fabs(v) : largest;
            q = largest == 0 ? 1 : largest / limit;
            if (!close(row_scale[r], q, 1e-5, 0))
                fail("row_scale[%lld] is %g; expected %g", (long long)r, row_scale[r], q);
            q = row_scale[r];
        }
        for (int64_t i = 0; i < c.columns; i++) {
            double got = to_float(y[r * stride + i]), want = n[static_cast<size_t>(i)];
            // Rounding of the result, and what fp32 sums may lose: a few ulp of the largest terms.
            double relative = 2 * epsilon<Y>(), absolute = 4e-6;
            if (quantized) {
                want = std::fmin(std::fmax(want / q, std::is_same_v<Y, int8_t> ? -128 : -limit), limit);
                if (std::is_same_v<Y, int8_t> && std::isnan(n[static_cast<size_t>(i)])) want = 0;
                if (std::isnan(n[static_cast<size_t>(i)]) && !std::is_same_v<Y, int8_t>) want = NAN;
                absolute = std::is_same_v<Y, int8_t> ? 0.5005 : 2e-3;
                if (std::isnan(q)) continue;
            }
            if (!close(got, want, relative, absolute)) {
                fail("y[%lld, %lld] is %.9g; expected %.9g", (long long)r, (long long)i, got, want);
            }
            if (c.sum && !close(to_float(sum[r * stride + i]), s[static_cast<size_t>(i)], 0, 0)) {
                fail("sum[%lld, %lld] is %.9g; expected %.9g", (long long)r, (long long)i,
                     to_float(sum[r * stride + i]), s[static_cast<size_t>(i)]);
            }
        }
    }
}

template <class T>
void check_type() {
    constexpr int64_t v = 16 / sizeof(T);
    for (int64_t kind : {TENON_CUDA_NORM_LAYER, TENON_CUDA_NORM_RMS}) {
        for (int64_t columns : {int64_t{1}, v - 1, v, v + 1, 32 * v, 33 * v, 2 * v + 3}) {
            check<T, T>({.rows = 5, .columns = columns, .kind = kind});
        }
        // Several rows to a warp: 1 to 16 lanes each, the last warp partly without rows.
        for (int64_t columns : {4 * v, 5 * v, 16 * v, 17 * v, 64 * v, 65 * v}) {
            check<T, T>({.rows = 71, .columns = columns, .kind = kind, .residual = true, .sum = true});
            check<T, int8_t>({.rows = 37, .columns = columns, .kind = kind, .row_scale = true});
        }
        check<T, T>({.rows = 0, .columns = v, .kind = kind});
        check<T, T>({.rows = 9, .columns = 8 * v, .kind = kind, .residual = true, .sum = true, .padding = v});
        check<T, T>({.rows = 3, .columns = 8 * v, .kind = kind, .residual = true, .sum = true, .misalignment = 1});
        check<T, T>({.rows = 2, .columns = 8 * v, .kind = kind, .residual = true, .padding = 1});
        check<T, T>({.rows = 1, .columns = 260 * v, .kind = kind, .residual = true, .sum = true});
        check<T, T>({.rows = 1, .columns = 3075 * v, .kind = kind, .residual = true, .sum = true});
        check<T, T>({.rows = 1, .columns = 6301, .kind = kind, .scale = false, .bias = false});
        check<T, T>({.rows = 12, .columns = 4 * v, .kind = kind, .residual = true, .sum = true, .special = true});
        check<T, int8_t>({.rows = 4, .columns = 5 * v, .kind = kind});
        check<T, int8_t>({.rows = 4, .columns = 300 * v, .kind = kind, .row_scale = true});
        check<T, f8e4m3>({.rows = 4, .columns = 6 * v, .kind = kind, .residual = true, .row_scale = true});
        check<T, f8e4m3>({.rows = 2, .columns = 37, .kind = kind});
        check<T, int8_t>({.rows = 8, .columns = 3 * v, .kind = kind, .row_scale = true, .special = true});
    }
}

// y and sum may be x and residual.
void check_in_place() {
    where = "norm in place";
    for (int64_t columns : {int64_t{64}, int64_t{12300}}) {
        Buffer<float> x(columns), residual(columns), y(columns), sum(columns);
        fill(x, rng);
        fill(residual, rng);
        tenon_cuda_norm a{};
        a.x = x.data();
        a.residual = residual.data();
        a.y = y.data();
        a.sum = sum.data();
        a.type = a.y_type = TENON_CUDA_F32;
        a.rows = 1;
        a.columns = a.x_stride = a.residual_stride = a.y_stride = a.sum_stride = columns;
        tenon_cuda_device device = hopper();
        run([&](tenon_cuda_plan* plan) { return tenon_cuda_norm_plan(&a, &device, plan); }, 1);
        a.y = x.data();
        a.sum = residual.data();
        run([&](tenon_cuda_plan* plan) { return tenon_cuda_norm_plan(&a, &device, plan); }, 2);
        for (int64_t i = 0; i < columns; i++) {
            if (x[i] != y[i] || residual[i] != sum[i]) fail("element %lld differs", (long long)i);
        }
    }
}

void check_refusals() {
    where = "norm refusals";
    Buffer<float> x(64), y(64), q(4);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_norm a{};
        a.x = x.data();
        a.y = y.data();
        a.type = a.y_type = TENON_CUDA_F32;
        a.rows = 4;
        a.columns = a.x_stride = a.y_stride = 16;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_norm_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "kind is 2", [](auto& a) { a.kind = 2; });
    refused(unsupported, "type 11", [](auto& a) { a.type = 11; });
    refused(unsupported, "y_type 2", [](auto& a) { a.y_type = TENON_CUDA_U8; });
    refused(invalid, "row_scale is given", [&](auto& a) { a.row_scale = q.data(); });
    refused(invalid, "y_scale is 0", [](auto& a) { a.y_type = TENON_CUDA_I8; });
    // Its inverse would be infinite.
    refused(invalid, "y_scale is 1e-40", [](auto& a) { a.y_type = TENON_CUDA_I8, a.y_scale = 1e-40; });
    refused(invalid, "epsilon is -1", [](auto& a) { a.epsilon = -1; });
    refused(invalid, "epsilon is", [](auto& a) { a.epsilon = NAN; });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "rows is 2147483648", [](auto& a) { a.rows = int64_t{1} << 31; });
    refused(invalid, "columns is 0", [](auto& a) { a.columns = 0; });
    refused(invalid, "columns is 1073741825", [](auto& a) { a.columns = (int64_t{1} << 30) + 1; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(invalid, "y_stride is 15", [](auto& a) { a.y_stride = 15; });
    refused(unsupported, "x spans more than 2^40 bytes", [](auto& a) { a.x_stride = INT64_MAX; });
    refused(unsupported, "y spans more than 2^40 bytes", [](auto& a) { a.y_stride = int64_t{1} << 37; });
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_in_place();
    check_refusals();
    return result("tenon_norm");
}
