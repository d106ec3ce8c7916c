// weight_only_gemm_plan and its kernels under the SIMT shim against a double reference.
#include "weight_only_gemm/weight_only_gemm.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);

struct Case {
    int64_t m, n, k, group;
    int64_t weight_type = TENON_CUDA_U4;
    bool zero = false, bias = false, special = false;
    int64_t misalignment = 0;      // of every tensor, in elements
    int64_t padding = 0;           // of the rows of x and y, in elements
    int64_t stride_bytes = 0;      // of weight; 0: as in MatMulNBits, whole groups
    const char* kernel = nullptr;  // expected: a part of its name
    tenon_cuda_device device = hopper();
};

bool is_signed(int64_t type) {
    return type == TENON_CUDA_I4 || type == TENON_CUDA_I8;
}
int bits(int64_t type) {
    return type == TENON_CUDA_I4 || type == TENON_CUDA_U4 ? 4 : 8;
}

// Element i of a row of packed integers.
int value(const uint8_t* row, int64_t i, int64_t type) {
    if (bits(type) == 8) return is_signed(type) ? static_cast<int8_t>(row[i]) : row[i];
    int nibble = row[i / 2] >> i % 2 * 4 & 15;
    return is_signed(type) && nibble >= 8 ? nibble - 16 : nibble;
}

template <class T>
void check(const Case& c) {
    const int64_t group = std::min(c.group, c.k), groups = (c.k + group - 1) / group;
    const int64_t stride_bytes = c.stride_bytes ? c.stride_bytes : (groups * group * bits(c.weight_type) + 7) / 8;
    const int64_t zero_stride = (groups * bits(c.weight_type) + 7) / 8;
    const int64_t x_stride = c.k + c.padding, y_stride = c.n + c.padding;
    where = "type " + std::to_string(type_code<T>()) + " weights " + std::to_string(c.weight_type) + " " +
            std::to_string(c.m) + "x" + std::to_string(c.n) + "x" + std::to_string(c.k) + " group " +
            std::to_string(c.group) + (c.zero ? " zero" : "") + (c.bias ? " bias" : "") +
            (c.special ? " special" : "") + " misaligned by " + std::to_string(c.misalignment);
    Buffer<T> x((c.m - 1) * x_stride + c.k, c.misalignment), scale(c.n * groups, c.misalignment),
        bias(c.n, c.misalignment), y((c.m - 1) * y_stride + c.n, c.misalignment);
    Buffer<uint8_t> weight(c.n * stride_bytes, c.misalignment), zero(c.n * zero_stride, c.misalignment);
    fill(x, rng, 1.0, c.special);
    fill(scale, rng, 0.1);
    fill(bias, rng);
    for (int64_t i = 0; i < weight.size(); i++) weight[i] = static_cast<uint8_t>(rng());
    for (int64_t i = 0; i < zero.size(); i++) zero[i] = static_cast<uint8_t>(rng());
    if (c.special) {
        scale[0] = from_float<T>(NAN);
        scale[scale.size() - 1] = from_float<T>(INFINITY);
        scale[scale.size() / 2] = from_float<T>(-0.0f);
        for (int64_t i = x_stride; i < x.size(); i++) {  // one row of x stays finite
            if (i / x_stride == c.m / 2) x[i] = from_float<T>(0.5f);
        }
    }

    tenon_cuda_weight_only_gemm a{};
    a.x = x.data();
    a.weight = weight.data();
    a.scale = scale.data();
    a.zero = c.zero ? zero.data() : nullptr;
    a.bias = c.bias ? bias.data() : nullptr;
    a.y = y.data();
    a.type = type_code<T>();
    a.weight_type = c.weight_type;
    a.m = c.m;
    a.n = c.n;
    a.k = c.k;
    a.group = c.group;
    a.x_stride = x_stride;
    a.y_stride = y_stride;
    a.weight_stride_bytes = stride_bytes;
    run(
        [&](tenon_cuda_plan* plan) {
            int32_t status = tenon_cuda_weight_only_gemm_plan(&a, &c.device, plan);
            if (plan->launches[0].shared_bytes > c.device.shared_bytes_per_block) fail("too much shared memory");
            if (c.kernel && status == TENON_CUDA_OK && !std::strstr(plan->launches[0].kernel, c.kernel)) {
                fail("the launcher chose %s; expected %s", plan->launches[0].kernel, c.kernel);
            }
            return status;
        },
        rng());

    std::vector<double> w(static_cast<size_t>(c.k));
    for (int64_t n = 0; n < c.n; n++) {
        bool finite_scale = true;
        for (int64_t g = 0; g < groups; g++) finite_scale &= std::isfinite(to_float(scale[n * groups + g]));
        for (int64_t k = 0; k < c.k; k++) {
            int z = is_signed(c.weight_type) ? 0 : 1 << (bits(c.weight_type) - 1);
            if (c.zero) z = value(&zero[n * zero_stride], k / group, c.weight_type);
            w[static_cast<size_t>(k)] = value(&weight[n * stride_bytes], k, c.weight_type) - z;
        }
        for (int64_t m = 0; m < c.m; m++) {
            double want = c.bias ? to_float(bias[n]) : 0.0, size = std::fabs(want);
            for (int64_t k = 0; k < c.k; k++) {
                double term = double{to_float(x[m * x_stride + k])} * w[static_cast<size_t>(k)] *
                              to_float(scale[n * groups + k / group]);
                want += term;
                size += std::fabs(term);
            }
            double got = to_float(y[m * y_stride + n]);
            if (!finite_scale) {
                if (std::isfinite(got)) fail("y[%lld, %lld] is finite, its scale not", (long long)m, (long long)n);
                continue;
            }
            // Rounding of the result, and of sums whose terms cancel.
            want = to_float(from_float<T>(static_cast<float>(want)));
            if (!close(got, want, 2 * epsilon<T>(), 1e-6 * size)) {
                fail("y[%lld, %lld] is %.9g; expected %.9g", (long long)m, (long long)n, got, want);
            }
        }
    }
    for (int64_t i = 0; i < y.size(); i++) {
        uint64_t bytes = 0;
        std::memcpy(&bytes, &y[i], sizeof(T));
        bool poison = bytes == (0xa5a5a5a5a5a5a5a5ull >> (64 - 8 * sizeof(T)));
        if (i % y_stride >= c.n && !poison) fail("y was written between its rows, at %lld", (long long)i);
    }
}

template <class T>
void check_fast() {
    const int64_t u4 = TENON_CUDA_U4, i4 = TENON_CUDA_I4, u8 = TENON_CUDA_U8, i8 = TENON_CUDA_I8;
    // Groups, types, zero points; k of one stage, of several, and not a multiple of any.
    check<T>({.m = 1, .n = 16, .k = 1024, .group = 128, .kernel = "_8_"});
    check<T>({.m = 1, .n = 33, .k = 1160, .group = 32, .zero = true, .bias = true, .kernel = "_8_"});
    check<T>({.m = 2, .n = 17, .k = 4504, .group = 64, .weight_type = i4, .zero = true, .kernel = "_8_"});
    check<T>({.m = 3, .n = 16, .k = 4096 + 8, .group = 1 << 20, .stride_bytes = 2064, .kernel = "_8_"});
    check<T>({.m = 4, .n = 19, .k = 136, .group = 32, .weight_type = i4, .bias = true, .padding = 8, .kernel = "_8_"});
    check<T>({.m = 1, .n = 16, .k = 512, .group = 512, .weight_type = i8, .kernel = "_8_"});
    check<T>({.m = 2, .n = 35, .k = 1496, .group = 64, .weight_type = u8, .zero = true, .kernel = "_8_"});
    check<T>({.m = 4, .n = 16, .k = 2560, .group = 32, .weight_type = i8, .zero = true, .bias = true, .kernel = "_8_"});
    check<T>({.m = 1, .n = 16, .k = 8, .group = 32, .weight_type = u8, .stride_bytes = 16, .kernel = "_8_"});
    check<T>({.m = 1, .n = 70, .k = 256, .group = 64, .special = true, .kernel = "_8_"});
    // A small GPU, so that few rows fill it.
    tenon_cuda_device small{90, 1, 232448, 1 << 20};
    for (int64_t type : {u4, i8}) {
        bool zero = type == u4;
        check<T>({.m = 5,
                  .n = 33,
                  .k = 2112,
                  .group = 64,
                  .weight_type = type,
                  .zero = zero,
                  .kernel = "_16_",
                  .device = small});
        check<T>({.m = 16, .n = 32, .k = 3072, .group = 128, .weight_type = type, .kernel = "_16_", .device = small});
        check<T>({.m = 17,
                  .n = 65,
                  .k = 1600,
                  .group = 32,
                  .weight_type = type,
                  .bias = true,
                  .kernel = "_32_",
                  .device = small});
        check<T>({.m = 32,
                  .n = 40,
                  .k = 256,
                  .group = 256,
                  .weight_type = type,
                  .zero = zero,
                  .kernel = "_32_",
                  .device = small});
        check<T>({.m = 64,
                  .n = 130,
                  .k = 800,
                  .group = 32,
                  .weight_type = type,
                  .zero = zero,
                  .padding = 16,
                  .kernel = "_64_",
                  .device = small});
        check<T>({.m = 70,
                  .n = 40,
                  .k = 96,
                  .group = 32,
                  .weight_type = type,
                  .special = true,
                  .kernel = "_64_",
                  .device = small});
    }
    // More rows of x than a tile has columns; too little shared memory for larger tiles.
    check<T>({.m = 19, .n = 20, .k = 64, .group = 32, .bias = true, .kernel = "_8_"});
    tenon_cuda_device ada{89, 1, 101376, 1 << 20};
    check<T>({.m = 40, .n = 20, .k = 64, .group = 32, .kernel = "_64_", .device = ada});
    check<T>({.m = 5, .n = 20, .k = 22400, .group = 32, .kernel = "_8_", .device = ada});
    check<T>({.m = 9, .n = 70, .k = 520, .group = 64, .weight_type = i8, .kernel = "_16_", .device = ada});
}

void check_fp32() {
    for (int64_t type : {TENON_CUDA_U4, TENON_CUDA_I4, TENON_CUDA_U8, TENON_CUDA_I8}) {
        const int64_t t = type;
        check<float>({.m = 1, .n = 33, .k = 2080, .group = 32, .weight_type = t, .zero = true, .kernel = "fp32"});
        check<float>(
            {.m = 5, .n = 7, .k = 264, .group = 16, .weight_type = t, .bias = true, .padding = 4, .kernel = "fp32"});
        check<float>({.m = 4, .n = 1, .k = 8, .group = 100, .weight_type = t, .zero = true, .kernel = "fp32"});
        check<float>({.m = 3, .n = 34, .k = 128, .group = 8, .weight_type = t, .special = true, .kernel = "fp32"});
    }
}

template <class T>
void check_any() {
    const int64_t types[] = {TENON_CUDA_U4, TENON_CUDA_I4, TENON_CUDA_U8, TENON_CUDA_I8};
    for (int64_t type : types) {
        check<T>(
            {.m = 1, .n = 9, .k = 77, .group = 16, .weight_type = type, .zero = true, .bias = true, .kernel = "any"});
        check<T>({.m = 9,
                  .n = 5,
                  .k = 130,
                  .group = 100,
                  .weight_type = type,
                  .misalignment = 1,
                  .padding = 3,
                  .kernel = "any"});
        check<T>({.m = 2, .n = 9, .k = 33, .group = 64, .weight_type = type, .special = true, .kernel = "any"});
        check<T>({.m = 1, .n = 1, .k = 1, .group = 1, .weight_type = type, .kernel = "any"});
    }
    check<T>({.m = 1, .n = 3, .k = 15, .group = 1, .zero = true, .stride_bytes = 9, .kernel = "any"});
}

void check_choice() {
    where = "choice of kernel";
    auto chosen = [](int64_t m, int64_t n, int64_t k, int64_t group, const char* kernel, int64_t blocks,
                     tenon_cuda_device device = hopper()) {
        static tenon_cuda_plan plan;
        alignas(16) static unsigned char memory[16];
        tenon_cuda_weight_only_gemm a{};
        a.x = a.weight = a.scale = a.y = memory;
        a.type = TENON_CUDA_BF16;
        a.weight_type = TENON_CUDA_U4;
        a.m = m, a.n = n, a.k = k, a.group = group;
        a.x_stride = k, a.y_stride = n, a.weight_stride_bytes = k / 2;
        if (tenon_cuda_weight_only_gemm_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("%s", plan.message);
        if (!std::strstr(plan.launches[0].kernel, kernel) || plan.launches[0].grid[0] != blocks ||
            plan.launches[0].shared_bytes > device.shared_bytes_per_block) {
            fail("%lld x %lld x %lld: %s, %lld blocks, %lld bytes", (long long)m, (long long)n, (long long)k,
                 plan.launches[0].kernel, (long long)plan.launches[0].grid[0],
                 (long long)plan.launches[0].shared_bytes);
        }
    };
    chosen(1, 4096, 4096, 128, "_8_", 256);
    chosen(4, 4096, 4096, 128, "_16_", 128);
    chosen(1, 28672, 8192, 128, "_8_", 1792);
    chosen(8, 4096, 14336, 32, "_16_", 128);
    chosen(32, 28672, 4096, 128, "_32_", 448);
    chosen(64, 28672, 4096, 128, "_64_", 224);
    chosen(64, 4096, 4096, 128, "_32_", 128);
    chosen(256, 14336, 4096, 128, "_64_", 448);
    chosen(1, 64, 1 << 20, 32, "any", 8);
    // 99 KiB of shared memory: the tile with the fewest passes over the weights.
    tenon_cuda_device ada{89, 128, 101376, 72 << 20};
    chosen(1, 4096, 4096, 128, "_8_", 256, ada);
    chosen(8, 4096, 4096, 128, "_32_", 64, ada);
    chosen(16, 14336, 4096, 128, "_64_", 112, ada);
    chosen(64, 4096, 14336, 128, "_64_", 32 * 5, ada);
    chosen(8, 1024, 4096, 128, "_8_", 64 * 2, ada);
    chosen(1, 64, 1 << 20, 32, "any", 8, ada);
}

void check_refusals() {
    where = "refusals";
    Buffer<float> x(64), y(64), scale(64);
    Buffer<uint8_t> weight(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_weight_only_gemm a{};
        a.x = x.data();
        a.weight = weight.data();
        a.scale = scale.data();
        a.y = y.data();
        a.type = TENON_CUDA_F32;
        a.weight_type = TENON_CUDA_I4;
        a.m = a.n = 1;
        a.k = a.x_stride = 15;
        a.y_stride = 1;
        a.group = 16;
        a.weight_stride_bytes = 8;
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_weight_only_gemm_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(TENON_CUDA_OK, "", [](auto& a) { a.m = 0; });
    refused(TENON_CUDA_OK, "", [](auto& a) { a.n = 0; });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.m = 2, a.x_stride = INT64_MAX; });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.m = 2, a.y_stride = int64_t{1} << 38; });
    refused(unsupported, "more than 2^40 bytes",
            [](auto& a) { a.n = a.y_stride = 4, a.weight_stride_bytes = int64_t{1} << 39; });
    refused(unsupported, "type 17", [](auto& a) { a.type = TENON_CUDA_F8E4M3; });
    refused(unsupported, "weight_type 6", [](auto& a) { a.weight_type = TENON_CUDA_I32; });
    refused(invalid, "m is -1", [](auto& a) { a.m = -1; });
    refused(unsupported, "m is 257; from 257 on, dequantize", [](auto& a) { a.m = 257; });
    refused(invalid, "n is -1", [](auto& a) { a.n = -1; });
    refused(invalid, "n is 16777217", [](auto& a) { a.n = (1 << 24) + 1; });
    refused(invalid, "k is 0", [](auto& a) { a.k = 0; });
    refused(invalid, "k is 1073741825", [](auto& a) { a.k = (int64_t{1} << 30) + 1; });
    refused(invalid, "group is 0", [](auto& a) { a.group = 0; });
    refused(invalid, "x_stride is 14", [](auto& a) { a.x_stride = 14; });
    refused(invalid, "y_stride is 0", [](auto& a) { a.y_stride = 0; });
    refused(invalid, "weight_stride_bytes is 7; expected at least 8", [](auto& a) { a.weight_stride_bytes = 7; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "weight is null", [](auto& a) { a.weight = nullptr; });
    refused(invalid, "scale is null", [](auto& a) { a.scale = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
}

}  // namespace

int main() {
    check_fast<f16>();
    check_fast<bf16>();
    check_fp32();
    check_any<float>();
    check_any<f16>();
    check_any<bf16>();
    check_choice();
    check_refusals();
    return result("tenon_weight_only_gemm");
}
