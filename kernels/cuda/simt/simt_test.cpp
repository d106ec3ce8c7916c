// The shim runs correct kernels and finds planted faults. Each fault runs in a child process, which must end as told.
#include "simt/simt.h"

#include "common/async_copy.cuh"
#include "common/reduce.cuh"
#include "simt/test_support.h"

using namespace simt_test;
using namespace tenon::cuda;

namespace {

constexpr int kThreads = 128;

struct Params {
    const float* x;
    float* y;
    int32_t n;
    int32_t fault;
};
enum Fault { kNone, kNoBarrier, kDivergentBarrier, kDivergentShuffle, kEarlyReturn, kNoWait, kOverread, kUnwritten };

// y[block] = sum of x[block], n <= 128 elements, through shared memory.
TENON_KERNEL(simt_test_sum, Params, kThreads, 1) {
    TENON_SHARED(float, values, [kThreads]);
    int t = static_cast<int>(threadIdx.x);
    if (p.fault == kEarlyReturn && t == 5) return;
    const float* x = p.x + static_cast<int64_t>(blockIdx.x) * p.n;
    if (p.fault != kUnwritten || t != 7) values[t] = t < p.n + (p.fault == kOverread) ? x[t] : 0.0f;
    if (p.fault == kDivergentBarrier && t < 7) __syncthreads();
    if (p.fault != kNoBarrier) __syncthreads();
    float v = values[kThreads - 1 - t];
    if (p.fault == kDivergentShuffle) {
        v += t % 32 < 16 ? __shfl_xor_sync(kAllLanes, v, 1) : static_cast<float>(__ballot_sync(kAllLanes, true));
    }
    TENON_SHARED(float, partial, [kThreads / kWarp]);
    v = block_reduce<Sum, kThreads>(v, partial);
    if (t == 0) p.y[blockIdx.x] = v;
}

// y = x, 4 floats to a thread, through asynchronous copies.
TENON_KERNEL(simt_test_copy, Params, kThreads, 1) {
    TENON_DYNAMIC_SHARED(bytes);
    float* staged = reinterpret_cast<float*>(bytes);
    int t = static_cast<int>(threadIdx.x);
    async_copy_16(staged + 4 * t, p.x + 4 * t, 4 * t < p.n);
    async_copy_commit();
    if (p.fault == kNoWait) {
        async_copy_wait<1>();
    } else {
        async_copy_wait<0>();
    }
    __syncthreads();
    int other = kThreads - 1 - t;
    if (4 * other < p.n) {
        for (int i = 0; i < 4; i++) p.y[4 * other + i] = staged[4 * other + i];
    }
    async_copy_wait<0>();
}

tenon_cuda_plan& plan_of(const char* kernel, int64_t grid, int64_t shared_bytes, const Params& p) {
    static tenon_cuda_plan plan;
    plan.launch_count = 1;
    tenon_cuda_launch& launch = plan.launches[0];
    launch.kernel = kernel;
    launch.grid[0] = grid;
    launch.grid[1] = launch.grid[2] = 1;
    launch.block = kThreads;
    launch.shared_bytes = shared_bytes;
    launch.params_bytes = sizeof p;
    std::memcpy(launch.params, &p, sizeof p);
    return plan;
}

bool sums_are_right(int fault, uint64_t seed) {
    Buffer<float> x(20 * 100), y(20);
    std::mt19937 rng(1);
    fill(x, rng);
    simt::execute(plan_of("simt_test_sum", 20, 0, {x.data(), y.data(), 100, fault}), seed);
    for (int b = 0; b < 20; b++) {
        double want = 0;
        for (int i = 0; i < 100; i++) want += x[b * 100 + i];
        if (!close(y[b], want, 1e-5, 1e-5)) return false;
    }
    return true;
}

bool copies_are_right(int fault, uint64_t seed) {
    Buffer<float> x(400), y(400);
    std::mt19937 rng(1);
    fill(x, rng);
    simt::execute(plan_of("simt_test_copy", 1, 4 * 4 * kThreads, {x.data(), y.data(), 400, fault}), seed);
    return std::memcmp(x.data(), y.data(), 1600) == 0;
}

void expect_found(const char* name, bool found) {
    where = name;
    if (!found) fail("the planted fault was not found");
}

}  // namespace

int main() {
    for (int fault : {kNoBarrier, kDivergentBarrier, kDivergentShuffle, kEarlyReturn, kUnwritten}) {
        expect_found(("fault " + std::to_string(fault)).c_str(),
                     fails_in_child([&](uint64_t seed) { return sums_are_right(fault, seed); }));
    }
    expect_found("a missing wait", fails_in_child([](uint64_t seed) { return copies_are_right(kNoWait, seed); }));
#if defined(__SANITIZE_ADDRESS__)
    expect_found("an over-read", fails_in_child([](uint64_t seed) { return sums_are_right(kOverread, seed); }));
#endif
    expect_found("an unknown kernel", fails_in_child([](uint64_t seed) {
                     simt::execute(plan_of("no_such_kernel", 1, 0, {}), seed);
                     return true;
                 }));
    for (uint64_t seed = 1; seed <= 20; seed++) {
        where = "seed " + std::to_string(seed);
        if (!sums_are_right(kNone, seed)) fail("wrong sums");
        if (!copies_are_right(kNone, seed)) fail("wrong copies");
    }
    return result();
}
