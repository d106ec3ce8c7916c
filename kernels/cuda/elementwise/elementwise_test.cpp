// The generated kernels of this folder under the SIMT shim against double references, from examples.inc's small shapes.
// Every function, type and way to broadcast is tested from Java (ElementwiseKernelHostTest), without sanitizers.
#include "elementwise/elementwise.h"

#include "elementwise/elementwise.cuh"
#include "simt/test_support.h"

using namespace simt_test;
using tenon::cuda::boolean;

namespace {

std::mt19937 rng(3);

double round_to_half(double x) {
    return to_float(from_float<f16>(static_cast<float>(x)));
}
double round_to_bfloat(double x) {
    return to_float(from_float<bf16>(static_cast<float>(x)));
}
double gelu(double x) {
    return x / 2 * std::erfc(-x / std::sqrt(2.0));
}
double silu(double x) {
    return x / (1 + std::exp(-x));
}

// Runs example `index` on buffers; the results go through `y`.
template <class Y>
void run_example(int64_t index, const void* x0, const void* x1, const void* x2, const void* x3, Buffer<Y>& y) {
    tenon_cuda_elementwise args{index, x0, x1, x2, x3, y.data()};
    auto device = hopper();
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_elementwise_plan(&args, &device, plan); }, rng());
}

// y[i] is value(i).
template <class Y, class Fn>
void expect(const Buffer<Y>& y, Fn value, double relative, double absolute) {
    std::vector<double> want;
    for (int64_t i = 0; i < y.size(); i++) want.push_back(value(i));
    expect_close("y", y, want, relative, absolute);
}

void add_relu() {
    where = "add_relu_f32";
    const int64_t n = 3 * 4099;
    Buffer<float> a(n), b(n), y(n);
    fill(a, rng, 1, true);
    fill(b, rng, 1, true);
    run_example(0, a.data(), b.data(), nullptr, nullptr, y);
    expect(
        y,
        [&](int64_t i) {
            float s = a[i] + b[i];
            return s <= 0 ? 0.0f : s;
        },
        0, 0);
}

void bias_gelu() {
    where = "bias_gelu_bf16";
    const int64_t rows = 37, columns = 136;
    Buffer<bf16> x(rows * columns), bias(columns), y(rows * columns);
    fill(x, rng, 3);
    fill(bias, rng);
    run_example(2, x.data(), bias.data(), nullptr, nullptr, y);
    auto value = [&](int64_t i) { return gelu(round_to_bfloat(double{to_float(x[i])} + to_float(bias[i % columns]))); };
    expect(y, value, epsilon<bf16>() * 1.1, 1e-5);
}

void channel_scale_silu() {
    where = "channel_scale_silu_f16";
    const int64_t channels = 5, plane = 7 * 16, n = 2 * channels * plane;
    Buffer<f16> x(n), scale(channels), bias(channels), y(n);
    fill(x, rng);
    fill(scale, rng);
    fill(bias, rng);
    run_example(4, x.data(), scale.data(), bias.data(), nullptr, y);
    auto value = [&](int64_t i) {
        int64_t c = i / plane % channels;
        return silu(round_to_half(round_to_half(double{to_float(x[i])} * to_float(scale[c])) + to_float(bias[c])));
    };
    expect(y, value, epsilon<f16>() * 1.1, 1e-6);
}

void masked_scores() {
    where = "masked_scores_f32";
    const int64_t batch = 2, heads = 3, s = 37, n = batch * heads * s * s;
    Buffer<boolean> keep(batch * s);
    Buffer<float> x(n), scale(1), low(1), y(n);
    for (int64_t i = 0; i < keep.size(); i++) keep[i].byte = rng() % 2;
    fill(x, rng, 1, true);
    scale[0] = 0.125f;
    low[0] = -INFINITY;
    run_example(6, keep.data(), x.data(), scale.data(), low.data(), y);
    auto value = [&](int64_t i) { return keep[i / (heads * s * s) * s + i % s].byte ? x[i] * scale[0] : low[0]; };
    expect(y, value, 0, 0);
}

void dequantize() {
    where = "dequantize_i8_f16";
    const int64_t rows = 11, columns = 64;
    Buffer<int8_t> x(rows * columns);
    Buffer<f16> scale(rows), y(rows * columns);
    for (int64_t i = 0; i < x.size(); i++) x[i] = static_cast<int8_t>(rng());
    fill(scale, rng);
    run_example(8, x.data(), scale.data(), nullptr, nullptr, y);
    expect(
        y, [&](int64_t i) { return round_to_half(x[i] * double{to_float(scale[i / columns])}); }, 0, 0);
}

void less() {
    where = "less_i64";
    const int64_t rows = 9, columns = 80;
    Buffer<int64_t> positions(columns), lengths(rows);
    Buffer<uint8_t> y(rows * columns);
    for (int64_t i = 0; i < columns; i++) positions[i] = i;
    for (int64_t i = 0; i < rows; i++) lengths[i] = static_cast<int64_t>(rng() % 80);
    run_example(10, positions.data(), lengths.data(), nullptr, nullptr, y);
    expect(
        y, [&](int64_t i) { return positions[i % columns] < lengths[i / columns]; }, 0, 0);
}

// What ONNX leaves open, as kernels/cpu/elementwise and the interpreter decide it.
void casts() {
    where = "casts";
    const struct {
        double x;
        uint64_t want;
    } cases[] = {{NAN, 0},
                 {-1.5, 0},
                 {-INFINITY, 0},
                 {0.9, 0},
                 {7.9, 7},
                 {0x1p63, 1ull << 63},
                 {0x1p64, UINT64_MAX},
                 {INFINITY, UINT64_MAX},
                 {0x1p62, 1ull << 62}};
    for (auto [x, want] : cases) {
        const uint64_t got[] = {tenon::cuda::fn::cast<uint64_t>(x),
                                tenon::cuda::fn::cast<uint64_t>(static_cast<float>(x))};
        for (uint64_t g : got) {
            if (g != want)
                fail("%g to uint64 is %llu; expected %llu", x, (unsigned long long)g, (unsigned long long)want);
        }
    }
    if (tenon::cuda::fn::cast<int64_t>(NAN) != 0 || tenon::cuda::fn::cast<int32_t>(NAN) != 0) fail("NaN is not 0");
}

void errors() {
    where = "errors";
    auto device = hopper();
    Buffer<float> x(16);
    auto refuse = [&](const char* text, int64_t example, const void* x0, void* y) {
        tenon_cuda_elementwise args{example, x0, x.data(), nullptr, nullptr, y};
        expect_refused(TENON_CUDA_INVALID_ARGUMENT, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_elementwise_plan(&args, &device, plan); });
    };
    refuse("example is 12", 12, x.data(), x.data());
    refuse("an input is", 0, x.data() + 1, x.data());
    refuse("y is", 0, x.data(), nullptr);
}

}  // namespace

int main() {
    add_relu();
    bias_gelu();
    channel_scale_silu();
    masked_scores();
    dequantize();
    less();
    casts();
    errors();
    return result("tenon_elementwise");
}
