// gpu/driver.cpp runs plans with the driver of simt/libcuda.cpp: results of kernels with tensor maps, much shared
// memory and several launches, and the messages of what the driver refuses.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "attention/attention.h"
#include "common/types.cuh"
#include "reduce/reduce.h"

extern "C" {
int32_t tenon_gpu_plan_bytes();
int32_t tenon_gpu_load(const char* family, const void* image, char* message, int64_t bytes);
int32_t tenon_gpu_execute(const char* family, const tenon_cuda_plan* plan, void* stream, char* message, int64_t bytes);
}

namespace {

using tenon::cuda::f16;
using tenon::cuda::from_float;
using tenon::cuda::to_float;

constexpr tenon_cuda_device kHopper = {90, 132, 232448, 60 << 20};
int failures = 0;
char message[512];

template <class... Args>
void fail(const char* format, Args... args) {
    failures++;
    std::fprintf(stderr, format, args...);
    std::fprintf(stderr, "\n");
}

// `text` null: the plan must run.
void execute(const char* family, const tenon_cuda_plan& plan, const char* text = nullptr) {
    int32_t status = tenon_gpu_execute(family, &plan, nullptr, message, sizeof message);
    if (!text && status != 0) fail("%s: status %d: %s", family, status, message);
    if (text && (status == 0 || !std::strstr(message, text))) {
        fail("%s: status %d: %s; expected %s", family, status, status == 0 ? "" : message, text);
    }
}

// One head of 70 queries, 90 keys and 128 elements, rows 136 elements apart.
void attention() {
    constexpr int64_t queries = 70, keys = 90, size = 128, row = 136;
    std::mt19937 rng(1);
    std::normal_distribution<float> normal;
    struct alignas(16) Matrix {
        f16 rows[keys][row];
    };
    static Matrix q, k, v, o;
    for (Matrix* m : {&q, &k, &v}) {
        for (auto& r : m->rows) {
            for (f16& x : r) x = from_float<f16>(normal(rng));
        }
    }
    tenon_cuda_attention a = {};
    a.q = &q, a.k = &k, a.v = &v, a.o = &o;
    a.type = TENON_CUDA_F16;
    a.batch = a.heads = a.kv_heads = 1, a.queries = queries, a.keys = keys, a.head_size = a.value_size = size;
    for (int64_t* stride : {&a.q_row_stride, &a.k_row_stride, &a.v_row_stride, &a.o_row_stride}) *stride = row;
    for (int64_t* stride : {&a.q_head_stride, &a.k_head_stride, &a.v_head_stride, &a.o_head_stride, &a.q_batch_stride,
                            &a.k_batch_stride, &a.v_batch_stride, &a.o_batch_stride}) {
        *stride = keys * row;
    }
    a.scale = 0.1;
    static tenon_cuda_plan plan;
    if (tenon_cuda_attention_plan(&a, &kHopper, &plan) != 0) return fail("refused: %s", plan.message);
    if (plan.launches[0].tensor_map_count != 3 || plan.launches[0].shared_bytes <= 48 << 10) {
        return fail("%s has too few tensor maps or too little shared memory for this test", plan.launches[0].kernel);
    }
    execute("attention", plan);
    for (int64_t i = 0; i < queries; i++) {
        std::vector<double> weight(keys), want(size);
        double sum = 0;
        for (int64_t j = 0; j < keys; j++) {
            double s = 0;
            for (int64_t d = 0; d < size; d++) s += double{to_float(q.rows[i][d])} * double{to_float(k.rows[j][d])};
            sum += weight[static_cast<size_t>(j)] = std::exp(s * a.scale);
        }
        for (int64_t d = 0; d < size; d++) {
            double x = 0;
            for (int64_t j = 0; j < keys; j++) {
                x += weight[static_cast<size_t>(j)] / sum * double{to_float(v.rows[j][d])};
            }
            const double got = to_float(o.rows[i][d]);
            if (!(std::fabs(got - x) <= 3e-3)) return fail("o[%d][%d] is %g; expected %g", int(i), int(d), got, x);
        }
    }

    // What the driver refuses must come back with its name.
    tenon_cuda_launch& launch = plan.launches[0];
    const tenon_cuda_launch good = launch;
    launch.tensor_maps[1].strides_bytes[1] = 8;
    execute("attention", plan, "cuTensorMapEncodeTiled of");
    launch = good;
    launch.tensor_maps[2].box[0] = 128;  // wider than its swizzle
    execute("attention", plan, "CUDA_ERROR_INVALID_VALUE");
    launch = good;
    launch.shared_bytes = 300 << 10;
    execute("attention", plan, "cuFuncSetAttribute of");
    launch = good;
    launch.grid[1] = 0;
    execute("attention", plan, "cuLaunchKernel of");
    launch = good;
    launch.block = 1024;
    execute("attention", plan, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES");
    launch = good;
    launch.kernel = "tenon_no_kernel";
    execute("attention", plan, "cuModuleGetFunction of tenon_no_kernel: CUDA_ERROR_NOT_FOUND");
}

// One long row: two launches through the workspace.
void reduce() {
    std::vector<float> x(600001);
    double want = 0;
    for (size_t i = 0; i < x.size(); i++) want += x[i] = static_cast<float>(i % 1000) / 1000;
    float y = 0;
    tenon_cuda_reduce r = {};
    r.x = x.data(), r.y = &y, r.kind = TENON_CUDA_REDUCE_SUM, r.type = r.y_type = TENON_CUDA_F32;
    r.outer = r.inner = 1, r.axis = static_cast<int64_t>(x.size());
    static tenon_cuda_plan plan;
    if (tenon_cuda_reduce_plan(&r, &kHopper, &plan) != 0) return fail("refused: %s", plan.message);
    std::vector<float> workspace(static_cast<size_t>(plan.workspace_bytes) / sizeof(float));
    r.workspace = workspace.data();
    tenon_cuda_reduce_plan(&r, &kHopper, &plan);
    if (plan.launch_count < 2) return fail("a sum of %zu elements takes one launch", x.size());
    execute("reduce", plan);
    if (!(std::fabs(y - want) <= 1e-5 * want)) fail("the sum is %g; expected %g", double{y}, want);
}

}  // namespace

int main() {
    const char fatbin[] = "\x50\xed\x55\xba";
    if (tenon_gpu_plan_bytes() != sizeof(tenon_cuda_plan)) fail("plan_bytes is wrong");
    if (tenon_gpu_load("attention", "no kernels", message, sizeof message) == 0 ||
        std::strcmp(message, "cuModuleLoadData of attention: CUDA_ERROR_INVALID_IMAGE") != 0) {
        fail("loading text: %s", message);
    }
    for (const char* family : {"attention", "reduce"}) {
        if (tenon_gpu_load(family, fatbin, message, sizeof message) != 0) fail("%s", message);
    }
    attention();
    reduce();
    return failures != 0;
}
