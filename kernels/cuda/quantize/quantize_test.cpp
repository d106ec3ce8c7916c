// The quantize launchers and their kernels under the SIMT shim against double references.
#include "quantize/quantize.h"

#include <memory>

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(31);

bool four_bits(int64_t type) {
    return type == TENON_CUDA_I4 || type == TENON_CUDA_U4;
}

// Elements of a quantized type, packed as the contract says.
struct Packed {
    int64_t type;
    Buffer<uint8_t> bytes;
    Packed(int64_t type, int64_t n, int64_t misalignment = 0)
        : type(type), bytes(four_bits(type) ? (n + 1) / 2 : n, misalignment) {}

    int byte(int64_t i) const { return four_bits(type) ? bytes[i / 2] >> i % 2 * 4 & 15 : bytes[i]; }
    double get(int64_t i) const {
        int b = byte(i);
        switch (type) {
            case TENON_CUDA_I8:
                return static_cast<int8_t>(b);
            case TENON_CUDA_F8E4M3:
                return to_float(f8e4m3{static_cast<uint8_t>(b)});
            case TENON_CUDA_F8E5M2:
                return to_float(f8e5m2{static_cast<uint8_t>(b)});
            case TENON_CUDA_I4:
                return b < 8 ? b : b - 16;
            default:
                return b;
        }
    }
};

// The byte (or half) that ONNX defines for value x / scale + zero.
int expected(int64_t type, float quotient, double zero) {
    if (type == TENON_CUDA_F8E4M3) return from_float<f8e4m3>(static_cast<float>(quotient + zero)).bits;
    if (type == TENON_CUDA_F8E5M2) return from_float<f8e5m2>(static_cast<float>(quotient + zero)).bits;
    double low = type == TENON_CUDA_I8 ? -128 : type == TENON_CUDA_I4 ? -8 : 0;
    double high = low + (four_bits(type) ? 15 : 255);
    double rounded = std::isnan(quotient) ? 0 : std::rint(static_cast<double>(quotient));
    double v = std::fmin(std::fmax(rounded + zero, low), high);
    return static_cast<int>(v) & (four_bits(type) ? 15 : 255);
}

struct Case {
    int64_t outer, axis, inner, block = 0;
    bool zero = true, float_scale = true;
    int64_t misalignment = 0;
    bool special = false;
    const char* kernel = "";  // part of the first kernel's name
};

int64_t group_of(const Case& c, int64_t i) {
    int64_t inner = i % c.inner, a = i / c.inner % c.axis, outer = i / c.inner / c.axis;
    if (c.block == 0) return a;
    return (outer * ((c.axis + c.block - 1) / c.block) + a / c.block) * c.inner + inner;
}

template <class T>
void check(const Case& c, int64_t type) {
    where = std::string("quantize type ") + std::to_string(type_code<T>()) + " and " + std::to_string(type) + " [" +
            std::to_string(c.outer) + ", " + std::to_string(c.axis) + ", " + std::to_string(c.inner) + "] block " +
            std::to_string(c.block) + (c.zero ? " zero" : "") + (c.float_scale ? "" : " own scale type") +
            " misaligned by " + std::to_string(c.misalignment) + (c.special ? " special" : "");
    const int64_t n = c.outer * c.axis * c.inner;
    const int64_t groups = c.block == 0 ? c.axis : c.outer * ((c.axis + c.block - 1) / c.block) * c.inner;
    Buffer<T> x(n, c.misalignment), back(n, c.misalignment);
    Packed y(type, n, c.misalignment), zero(type, groups);
    Buffer<float> scale32(groups);
    Buffer<T> scale_own(groups);
    fill(x, rng, 2.0, c.special);
    for (int64_t i = 0; i < n; i += 3) x[i] = from_float<T>(static_cast<float>(static_cast<int>(rng() % 64)) / 16 - 2);
    for (int64_t i = 0; i < groups; i++) {
        float s = rng() % 3 ? 0.02f + static_cast<float>(rng() % 1000) * 1e-4f : 0.125f;
        if (c.special && rng() % 8 == 0) s = rng() % 2 ? 1e-30f : 1e30f;
        scale_own[i] = from_float<T>(s);
        scale32[i] = c.float_scale ? s : to_float(scale_own[i]);
    }
    bool f8 = type == TENON_CUDA_F8E4M3 || type == TENON_CUDA_F8E5M2;
    for (int64_t i = 0; i < zero.bytes.size(); i++) zero.bytes[i] = static_cast<uint8_t>(f8 ? 0 : rng());

    tenon_cuda_quantize a{};
    a.x = x.data();
    a.y = y.bytes.data();
    a.scale = c.float_scale ? static_cast<const void*>(scale32.data()) : scale_own.data();
    a.zero = c.zero ? zero.bytes.data() : nullptr;
    a.x_type = type_code<T>();
    a.y_type = type;
    a.scale_type = c.float_scale ? int64_t{TENON_CUDA_F32} : type_code<T>();
    a.outer = c.outer;
    a.axis = c.axis;
    a.inner = c.inner;
    a.block = c.block;
    tenon_cuda_device device = hopper();
    auto plan = [&](tenon_cuda_plan* p) {
        int32_t status = tenon_cuda_quantize_plan(&a, &device, p);
        if (n == 0 && p->launch_count != 0) fail("launches for an empty tensor");
        if (n > 0 && !std::strstr(p->launches[0].kernel, c.kernel)) fail("runs %s", p->launches[0].kernel);
        return status;
    };
    run(plan, rng());
    for (int64_t i = 0; i < n; i++) {
        int64_t g = group_of(c, i);
        float quotient = to_float(x[i]) / scale32[g];
        int want = expected(type, quotient, c.zero ? zero.get(g) : 0);
        bool nan = type == TENON_CUDA_F8E4M3 ? (want & 127) == 127 : type == TENON_CUDA_F8E5M2 && (want & 127) > 124;
        if (y.byte(i) != want && !(nan && std::isnan(y.get(i)))) {
            return fail("y[%lld] is %d; expected %d for %.9g / %.9g", (long long)i, y.byte(i), want, to_float(x[i]),
                        scale32[g]);
        }
    }
    if (four_bits(type) && n % 2 != 0 && y.bytes[n / 2] >> 4 != 0) fail("the half byte after the last is not 0");

    // And back.
    for (int64_t i = 0; i < y.bytes.size(); i++) y.bytes[i] = static_cast<uint8_t>(rng());
    a.x = y.bytes.data();
    a.y = back.data();
    a.x_type = type;
    a.y_type = type_code<T>();
    run(plan, rng());
    for (int64_t i = 0; i < n; i++) {
        int64_t g = group_of(c, i);
        double want = (y.get(i) - (c.zero ? zero.get(g) : 0)) * scale32[g];
        double got = to_float(back[i]);
        if (c.special && std::fabs(want) > 6e4 && std::isinf(got) && (got < 0) == (want < 0)) continue;
        if (std::isinf(want) && got == want) continue;
        if (!close(got, want, 2 * epsilon<T>(), sizeof(T) == 2 ? 6e-8 : 0)) {
            return fail("back[%lld] is %.9g; expected %.9g", (long long)i, got, want);
        }
    }
}

template <class T>
void check_type(int64_t type) {
    check<T>({1, 1, 1}, type);
    check<T>({1, 1, 7, 0, false}, type);
    check<T>({1, 1, 8205, 0, true, true, 0, false, "vector"}, type);  // vectors, then the rest
    check<T>({1, 1, 100, 0, true, true, 1, false, "any"}, type);
    check<T>({3, 4, 16, 0, true, false, 0, false, "vector"}, type);  // a channel in the middle
    check<T>({3, 4, 49, 0, true, true, 0, false, "any"}, type);
    check<T>({5, 24, 1, 0, true, true, 0, false, "vector"}, type);  // the last axis
    check<T>({5, 24, 1, 0, false, false, 0, false, "vector"}, type);
    check<T>({5, 23, 1, 0, true, true, 0, false, "any"}, type);
    check<T>({4, 64, 1, 32, true, true, 0, false, "vector"}, type);  // blocks along the last axis
    check<T>({4, 40, 1, 32, true, false, 0, false, "vector"}, type);
    check<T>({3, 33, 1, 16, true, true, 0, false, "any"}, type);
    check<T>({2, 10, 16, 4, true, true, 0, false, "vector"}, type);  // blocks along another axis
    check<T>({2, 10, 5, 4, true, true, 0, false, "any"}, type);
    check<T>({2, 6, 1, 100}, type);
    check<T>({1, 6, 8, 1, true, false}, type);
    check<T>({40, 8, 8, 0, true, true, 0, true, "vector"}, type);
    check<T>({40, 8, 5, 0, true, true, 0, true, "any"}, type);
    check<T>({0, 8, 5}, type);
    check<T>({8, 8, 0, 2}, type);
}

// Vectors' quotients equal those of the division.
void check_quotients() {
    where = "quantize quotients";
    for (float s : {0.1f, 0.3f, 1.7e-5f, 3.0f, 254.0f / 3.0f, 0.99999994f, 1.9999999f, 1e-38f, 2e38f}) {
        Buffer<float> x(16384), scale(1);
        Packed y(TENON_CUDA_U8, x.size());
        scale[0] = s;
        for (int64_t i = 0; i < x.size(); i++) {
            // Around the points where rounding changes.
            uint32_t bits = tenon::cuda::bits_of(s * (static_cast<float>(rng() % 256) + 0.5f)) + rng() % 5 - 2;
            x[i] = tenon::cuda::float_of(bits);
        }
        tenon_cuda_quantize a{x.data(),
                              y.bytes.data(),
                              scale.data(),
                              nullptr,
                              TENON_CUDA_F32,
                              TENON_CUDA_U8,
                              TENON_CUDA_F32,
                              1,
                              1,
                              x.size(),
                              0};
        tenon_cuda_device device = hopper();
        run([&](tenon_cuda_plan* p) { return tenon_cuda_quantize_plan(&a, &device, p); }, 5);
        for (int64_t i = 0; i < x.size(); i++) {
            if (y.byte(i) != expected(TENON_CUDA_U8, x[i] / s, 0)) fail("%.9g / %.9g gives %d", x[i], s, y.byte(i));
        }
    }
}

template <class T, class Y>
void check_rows(int64_t rows, int64_t columns, int64_t padding, int64_t misalignment, bool special = false,
                double deviation = 3.0) {
    where = std::string("quantize rows type ") + std::to_string(type_code<T>()) + " to " +
            std::to_string(type_code<Y>()) + " " + std::to_string(rows) + "x" + std::to_string(columns) +
            (special ? " special" : "");
    int64_t stride = columns + padding, n = rows == 0 ? 0 : (rows - 1) * stride + columns;
    Buffer<T> x(n, misalignment);
    Buffer<Y> y(n, misalignment);
    Buffer<float> q(rows);
    fill(x, rng, deviation, special);
    if (rows > 1) std::memset(static_cast<void*>(x.data()), 0, static_cast<size_t>(columns) * sizeof(T));
    tenon_cuda_quantize_rows a{x.data(), y.data(), q.data(), type_code<T>(), type_code<Y>(),
                               rows,     columns,  stride,   stride};
    tenon_cuda_device device = hopper();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_quantize_rows_plan(&a, &device, p); }, rng());
    const double limit = std::is_same_v<Y, int8_t> ? 127 : 448;
    for (int64_t r = 0; r < rows; r++) {
        double largest = 0;
        for (int64_t i = 0; i < columns; i++) {
            double v = std::fabs(to_float(x[r * stride + i]));
            if (std::isnan(v) || v > largest) largest = v;
            if (std::isnan(largest)) break;
        }
        double want_q = largest == 0 ? 1 : std::fmax(largest / limit, 0x1p-126);
        if (std::isnan(largest)) want_q = NAN;
        if (!close(q[r], want_q, 1e-6, 0)) fail("row_scale[%lld] is %g; expected %g", (long long)r, q[r], want_q);
        for (int64_t i = 0; i < columns; i++) {
            float inverse = 1.0f / q[r], v = to_float(x[r * stride + i]) * inverse;
            if (!close(to_float(y[r * stride + i]), to_float(from_float<Y>(v)), 0, 0)) {
                return fail("y[%lld, %lld] is %g; expected %g", (long long)r, (long long)i, to_float(y[r * stride + i]),
                            v);
            }
        }
    }
}

template <class T>
void check_rows_type() {
    constexpr int64_t v = 16 / sizeof(T);
    for (int64_t columns : {int64_t{1}, v - 1, v, v + 1, 33 * v, 260 * v, 2050 * v}) {
        check_rows<T, int8_t>(3, columns, 0, 0);
        check_rows<T, f8e4m3>(2, columns, 0, 0);
    }
    check_rows<T, int8_t>(9, 4 * v, v, 0, true);
    check_rows<T, f8e4m3>(9, 4 * v, 1, 0, true);
    check_rows<T, int8_t>(2, 3000, 0, 1, true);
    check_rows<T, int8_t>(0, 4, 0, 0);
    if (sizeof(T) == 4) check_rows<T, int8_t>(3, 40, 0, 0, false, 1e-38);
    if (sizeof(T) == 4) check_rows<T, f8e4m3>(3, 40, 0, 0, false, 1e-40);
}

template <class T>
void check_dynamic(int64_t n, int64_t misalignment, double mean, bool special = false) {
    where =
        std::string("quantize dynamic type ") + std::to_string(type_code<T>()) + std::string(" ") + std::to_string(n);
    Buffer<T> x(n, misalignment);
    Buffer<uint8_t> y(n, misalignment), zero(1);
    Buffer<float> scale(1);
    fill(x, rng, 1.0, special);
    for (int64_t i = 0; i < n; i++) x[i] = from_float<T>(static_cast<float>(mean) + to_float(x[i]));
    tenon_cuda_quantize_dynamic a{x.data(), y.data(), scale.data(), zero.data(), nullptr, type_code<T>(), n};
    tenon_cuda_device device{90, 2, 232448, 60 << 20};
    std::unique_ptr<Buffer<float>> workspace;
    run(
        [&](tenon_cuda_plan* p) {
            if (tenon_cuda_quantize_dynamic_plan(&a, &device, p) != TENON_CUDA_OK) return 1;
            workspace = std::make_unique<Buffer<float>>(p->workspace_bytes / 4);
            a.workspace = workspace->data();
            return tenon_cuda_quantize_dynamic_plan(&a, &device, p);
        },
        rng());
    float low = 0, high = 0;
    for (int64_t i = 0; i < n; i++) {
        float v = to_float(x[i]);
        low = std::isnan(low) || std::isnan(v) ? NAN : std::fmin(low, v);
        high = std::isnan(high) || std::isnan(v) ? NAN : std::fmax(high, v);
    }
    float s = low == high ? 1 : (high - low) / 255;
    if (!close(scale[0], s, 0, 0)) fail("scale is %.9g; expected %.9g", scale[0], s);
    int z = expected(TENON_CUDA_U8, -low / s, 0);
    if (zero[0] != z) fail("zero is %d; expected %d", zero[0], z);
    for (int64_t i = 0; i < n; i++) {
        int want = expected(TENON_CUDA_U8, to_float(x[i]) / s, z);
        if (y[i] != want) return fail("y[%lld] is %d; expected %d", (long long)i, y[i], want);
    }
}

// A block longer than any axis is one group for each outer index.
void check_long_block() {
    where = "quantize long block";
    tenon_cuda_device device = hopper();
    Buffer<float> x(6), scale(2);
    Buffer<int8_t> y(6);
    for (int64_t i = 0; i < 6; i++) x[i] = 4.0f;
    scale[0] = 1.0f, scale[1] = 2.0f;
    tenon_cuda_quantize a{x.data(), y.data(), scale.data(), nullptr, TENON_CUDA_F32, TENON_CUDA_I8, TENON_CUDA_F32, 2,
                          3,        1,        INT64_MAX};
    run([&](tenon_cuda_plan* p) { return tenon_cuda_quantize_plan(&a, &device, p); }, 1);
    for (int64_t i = 0; i < 6; i++) {
        if (y[i] != (i < 3 ? 4 : 2)) fail("y[%lld] is %d", (long long)i, y[i]);
    }
}

void check_refusals() {
    Buffer<float> x(64), s(64);
    Buffer<int8_t> y(64);
    Buffer<uint8_t> u(64);
    tenon_cuda_device device = hopper();
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    auto refused = [&](int32_t status, const char* text, auto change) {
        where = "quantize refusals";
        tenon_cuda_quantize a{x.data(), y.data(), s.data(), nullptr, TENON_CUDA_F32, TENON_CUDA_I8, TENON_CUDA_F32,
                              1,        8,        8,        0};
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* p) { return tenon_cuda_quantize_plan(&a, &device, p); });
    };
    refused(unsupported, "x_type 1 and y_type 1", [](auto& a) { a.y_type = TENON_CUDA_F32; });
    refused(unsupported, "x_type 3 and y_type 3", [](auto& a) { a.x_type = TENON_CUDA_I8; });
    refused(unsupported, "y_type 6", [](auto& a) { a.y_type = TENON_CUDA_I32; });
    refused(unsupported, "scale_type 10", [](auto& a) { a.scale_type = TENON_CUDA_F16; });
    refused(invalid, "expected 0 or more", [](auto& a) { a.outer = -1; });
    refused(invalid, "expected 0 or more", [](auto& a) { a.block = -1; });
    refused(unsupported, "2^38", [](auto& a) { a.outer = int64_t{1} << 60; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(invalid, "scale is null", [](auto& a) { a.scale = nullptr; });

    auto rows = [&](int32_t status, const char* text, auto change) {
        where = "quantize rows refusals";
        tenon_cuda_quantize_rows a{x.data(), y.data(), s.data(), TENON_CUDA_F32, TENON_CUDA_I8, 4, 16, 16, 16};
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* p) { return tenon_cuda_quantize_rows_plan(&a, &device, p); });
    };
    rows(unsupported, "type 3", [](auto& a) { a.type = TENON_CUDA_I8; });
    rows(unsupported, "y_type 2", [](auto& a) { a.y_type = TENON_CUDA_U8; });
    rows(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    rows(invalid, "columns is 0", [](auto& a) { a.columns = 0; });
    rows(invalid, "x_stride is 15", [](auto& a) { a.x_stride = 15; });
    rows(invalid, "y_stride 15", [](auto& a) { a.y_stride = 15; });
    rows(unsupported, "more than 2^40 bytes", [](auto& a) { a.x_stride = INT64_MAX; });
    rows(unsupported, "more than 2^40 bytes", [](auto& a) { a.y_stride = int64_t{1} << 39; });
    rows(invalid, "row_scale is null", [](auto& a) { a.row_scale = nullptr; });
    rows(invalid, "x is null", [](auto& a) { a.x = nullptr; });

    auto dynamic = [&](int32_t status, const char* text, auto change) {
        where = "quantize dynamic refusals";
        tenon_cuda_quantize_dynamic a{x.data(), u.data(), s.data(), u.data(), nullptr, TENON_CUDA_F32, 16};
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* p) { return tenon_cuda_quantize_dynamic_plan(&a, &device, p); });
    };
    dynamic(unsupported, "type 2", [](auto& a) { a.type = TENON_CUDA_U8; });
    dynamic(invalid, "n is -1", [](auto& a) { a.n = -1; });
    dynamic(invalid, "scale is null", [](auto& a) { a.scale = nullptr; });
    dynamic(invalid, "zero is null", [](auto& a) { a.zero = nullptr; });
    dynamic(invalid, "y is null", [](auto& a) { a.y = nullptr; });
}

}  // namespace

int main() {
    for (int64_t type :
         {TENON_CUDA_I8, TENON_CUDA_U8, TENON_CUDA_F8E4M3, TENON_CUDA_F8E5M2, TENON_CUDA_I4, TENON_CUDA_U4}) {
        check_type<float>(type);
        check_type<f16>(type);
        check_type<bf16>(type);
    }
    check_quotients();
    check_long_block();
    check_rows_type<float>();
    check_rows_type<f16>();
    check_rows_type<bf16>();
    check_dynamic<float>(1, 0, 0);
    check_dynamic<float>(0, 0, 0);
    check_dynamic<float>(70001, 0, 0.3);
    check_dynamic<float>(5000, 1, 9);
    check_dynamic<float>(5000, 0, -9);
    check_dynamic<float>(3000, 0, 0, true);
    check_dynamic<f16>(20000, 0, 1);
    check_dynamic<bf16>(20011, 1, 1);
    check_refusals();
    return result();
}
