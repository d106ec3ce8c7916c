// How fast is Winograd convolution beside direct convolution (oneDNN), and how far from the core's limit?
//
//   winograd_bench [threads] [milliseconds per measurement] [substring of a layer name] [cold]
//
// With "cold", 64 MB are read before each run, as other layers of a network would: weights come from memory.
// Figures are effective GFLOP/s: the multiplications and additions of direct convolution over the best time of many
// runs. Both sides work on nChw16c data, with bias and ReLU fused and packed weights.
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <dnnl.hpp>
#include <limits>
#include <string>
#include <unordered_map>
#include <vector>

#include "../gemm/fma_peak.h"
#include "winograd.h"

using namespace tenon::cpu;

namespace {

double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool cold = false;

void flush_caches() {
    constexpr int64_t kBytes = 64 << 20;
    static char* const other = static_cast<char*>(calloc(kBytes, 1));
    for (int64_t i = 0; i < kBytes; i += 64) other[i] += 1;
}

template <typename Fn>
double best_seconds(double budget, Fn fn) {
    double best = 1e9;
    const double end = seconds() + budget;
    int runs = 0;
    do {
        if (cold) flush_caches();
        const double start = seconds();
        fn();
        const double took = seconds() - start;
        best = took < best ? took : best;
    } while (++runs < 3 || seconds() < end);
    return best;
}

struct Buffer {
    explicit Buffer(int64_t bytes) : data(static_cast<float*>(aligned_alloc(64, (bytes + 63) / 64 * 64))) {
        for (int64_t i = 0; i < bytes / 4; ++i) data[i] = static_cast<float>(i * 2654435761u % 1000) / 1000 - 0.5f;
    }
    ~Buffer() { free(data); }
    Buffer(const Buffer&) = delete;
    float* data;
};

double onednn(const WinogradShape& s, const Buffer& src, const Buffer& weights, const Buffer& bias, double budget) {
    using namespace dnnl;
    using tag = memory::format_tag;
    engine cpu(engine::kind::cpu, 0);
    stream queue(cpu);
    const auto f32 = memory::data_type::f32;
    const memory::dims sd{s.batch, s.in_channels, s.in_height, s.in_width}, wd{s.out_channels, s.in_channels, 3, 3},
        dd{s.batch, s.out_channels, s.out_height(), s.out_width()};
    post_ops ops;
    ops.append_eltwise(algorithm::eltwise_relu, 0.0f, 0.0f);
    primitive_attr attributes;
    attributes.set_post_ops(ops);
    const convolution_forward::primitive_desc desc(cpu, prop_kind::forward_inference, algorithm::convolution_direct,
                                                   {sd, f32, tag::nChw16c}, {wd, f32, tag::any},
                                                   {{s.out_channels}, f32, tag::x}, {dd, f32, tag::nChw16c}, {1, 1},
                                                   {s.pad_top, s.pad_left}, {s.pad_bottom, s.pad_right}, attributes);
    memory plain({wd, f32, tag::oihw}, cpu, weights.data), packed(desc.weights_desc(), cpu);
    reorder(plain, packed).execute(queue, plain, packed);
    memory x(desc.src_desc(), cpu, src.data), b(desc.bias_desc(), cpu, bias.data), y(desc.dst_desc(), cpu);
    const std::unordered_map<int, memory> args{
        {DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}};
    const convolution_forward convolution(desc);
    return best_seconds(budget, [&] {
        convolution.execute(queue, args);
        queue.wait();
    });
}

double winograd(const WinogradShape& s, WinogradTile tile, int threads, Isa isa, const Buffer& src,
                const Buffer& weights, const Buffer& bias, double budget) {
    const WinogradPlan plan = winograd_plan(s, tile, threads, isa);
    Buffer packed(winograd_packed_bytes(s, tile)), scratch(plan.scratch_bytes);
    winograd_pack(s, tile, weights.data, packed.data, 0, winograd_pack_slices(s));
    Buffer dst(s.batch * ((s.out_channels + 15) / 16) * 64 * s.out_height() * s.out_width());
    const WinogradArgs args{src.data, packed.data,  bias.data, nullptr,
                            dst.data, scratch.data, 0.0f,      std::numeric_limits<float>::infinity()};
    return best_seconds(budget, [&] {
#pragma omp parallel num_threads(threads)
        for (int64_t phase = 0; phase < plan.phases; ++phase) {
            winograd_run(plan, args, phase, omp_get_thread_num());
            if (phase + 1 < plan.phases) {
#pragma omp barrier
            }
        }
    });
}

struct Layer {
    const char* name;
    WinogradShape shape;
};

constexpr WinogradShape same(int64_t size, int64_t in, int64_t out, int64_t batch = 1) {
    return {batch, in, size, size, out, 1, 1, 1, 1};
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? atoi(argv[1]) : 1;
    const double budget = (argc > 2 ? atof(argv[2]) : 50) / 1000;
    const char* wanted = argc > 3 ? argv[3] : "";
    const double peak = tenon::cpu::test::fma_peak();
    cold = argc > 4 && strcmp(argv[4], "cold") == 0;
    omp_set_num_threads(threads);
    const Layer layers[] = {
        {"vgg 224x64", same(224, 64, 64)},         {"vgg 112x64-128", same(112, 64, 128)},
        {"vgg 112x128", same(112, 128, 128)},      {"vgg 56x256", same(56, 256, 256)},
        {"vgg 28x512", same(28, 512, 512)},        {"vgg 14x512", same(14, 512, 512)},
        {"resnet 56x64", same(56, 64, 64)},        {"resnet 28x128", same(28, 128, 128)},
        {"resnet 14x256", same(14, 256, 256)},     {"resnet 7x512", same(7, 512, 512)},
        {"resnet 7x512 b8", same(7, 512, 512, 8)}, {"small 56x16", same(56, 16, 16)},
        {"small 56x32", same(56, 32, 32)},         {"small 28x32", same(28, 32, 32)},
        {"small 14x64", same(14, 64, 64)},         {"small 7x128", same(7, 128, 128)},
        {"squeeze 55x16-64", same(55, 16, 64)},    {"squeeze 13x64-256", same(13, 64, 256)},
    };
    printf("fma peak %.1f GFLOP/s a core, %d threads\n", peak, threads);
    printf("%-18s %9s %9s %9s %7s  %s\n", "layer", "oneDNN", "f2x2", "f4x4", "ratio",
           "multiplications of f4x4 / peak; chosen");
    for (const Layer& layer : layers) {
        if (strstr(layer.name, wanted) == nullptr) continue;
        const WinogradShape& s = layer.shape;
        const double flops = 18.0 * s.batch * s.in_channels * s.out_channels * s.out_height() * s.out_width();
        const Buffer src(s.batch * ((s.in_channels + 15) / 16) * 64 * s.in_height * s.in_width);
        const Buffer weights(s.out_channels * s.in_channels * 36), bias(s.out_channels * 4);
        const double direct = onednn(s, src, weights, bias, budget);
        const double two = winograd(s, WinogradTile::f2x2, threads, Isa::avx512, src, weights, bias, budget);
        const double four = winograd(s, WinogradTile::f4x4, threads, Isa::avx512, src, weights, bias, budget);
        const WinogradPlan plan = winograd_plan(s, WinogradTile::f4x4, threads, Isa::avx512);
        const double products = 2.0 * 36 * s.batch * plan.tiles_y * plan.tiles_x * s.in_channels * s.out_channels;
        const bool best_four = winograd_best_tile(s, threads) == WinogradTile::f4x4;
        const double chosen = best_four ? four : two;
        printf("%-18s %9.1f %9.1f %9.1f %7.2f  %.2f; %s%s\n", layer.name, flops / direct * 1e-9, flops / two * 1e-9,
               flops / four * 1e-9, direct / chosen, peak == 0 ? 0 : products / four * 1e-9 / (peak * threads),
               best_four ? "f4x4" : "f2x2", winograd_is_profitable(s, threads) ? "" : ", not profitable");
        fflush(stdout);
    }
    return 0;
}
