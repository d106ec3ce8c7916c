// Bulk copies, barriers and wgmma together: products of matrices that the copy engine brings, boxes over the tensors'
// edges included, against sums in double; and faults planted in them are found.
#include "common/wgmma.cuh"

#include "common/bulk_copy.cuh"
#include "simt/test_support.h"

using namespace simt_test;
using namespace tenon::cuda;

namespace {

enum Fault {
    kNone,
    kNoFullWait,
    kNoEmptyWait,
    kNoProductWait,
    kWrongParity,
    kNoInit,
    kTwoArrivals,
    kDescriptor,
    kSwizzle,
    kNoProxyFence,
    kNoRegisterFence,
    kLateWrite
};

// d = sum over rounds of A * B: A is 64 x depth at row -3 and column 64 * round of its tensor, B N x depth at row 5 (K-
// major), or depth x N at row depth * round, column -8 (A in registers, MN-major). Bytes 16 to 31 of every B are set
// to 0 by an ordinary store.
struct Params {
    TensorMap a_map, b_map;
    const void* a;  // 64 x (rounds * depth), for A in registers
    float* d;       // 64 x N
    int32_t rounds, fault;
};

constexpr int kThreads = 160;  // a warpgroup and a warp that copies

template <class T, int N, int depth, bool registers>
void product(const Params& p) {
    TENON_DYNAMIC_SHARED(shared);
    constexpr int a_bytes = registers ? 0 : 64 * depth * 2, b_bytes = N * depth * 2;
    unsigned char *a = shared, *b = shared + a_bytes;
    Barrier *full = reinterpret_cast<Barrier*>(b + b_bytes), *empty = full + 1;
    if (threadIdx.x == 0 && p.fault != kNoInit) {
        barrier_init(full, 1);
        barrier_init(empty, 4);
        barrier_init_fence();
    }
    __syncthreads();
    if (threadIdx.x >= 128) {
        if (threadIdx.x != 128) return;
        prefetch(&p.b_map);
        for (int round = 0; round < p.rounds; round++) {
            if (p.fault != kNoEmptyWait) barrier_wait(empty, (round & 1) ^ (p.fault != kWrongParity));
            barrier_arrive_expect(full, a_bytes + b_bytes);
            if constexpr (registers) {
                for (int n = 0; n < N; n += 64) {
                    bulk_load(b + n * depth * 2, &p.b_map, full, n - 8, depth * round, 1, 2);
                }
            } else {
                for (int k = 0; k < depth; k += 64) {
                    bulk_load(a + 64 * k * 2, &p.a_map, full, round * depth + k, -3, 0, 0);
                    bulk_load(b + N * k * 2, &p.b_map, full, round * depth + k, 5, 1, 2);
                }
            }
        }
        return;
    }
    float sums[N / 2];
    for (float& s : sums) s = 0.0f;
    const int lane = lane_id(), row = warp_id() * 16 + lane / 4, column = lane % 4 * 2;
    for (int round = 0; round < p.rounds; round++) {
        if (p.fault != kNoFullWait) barrier_wait(full, round & 1);
        uint32_t fragments[depth / 4] = {};
        if constexpr (registers) {
            const T* values = static_cast<const T*>(p.a) + round * depth;
            for (int i = 0; i < depth / 4; i++) {
                int r = row + i % 2 * 8, k = i / 4 * 16 + i % 4 / 2 * 8 + column;
                const T* at = values + r * p.rounds * depth + k;
                fragments[i] = at[0].bits | static_cast<uint32_t>(at[1].bits) << 16;
            }
        }
        if (threadIdx.x == 0) std::memset(b + 16, 0, 16);
        if (p.fault != kNoProxyFence) async_proxy_fence();
        named_barrier_wait(1, 128);
        // A change and its undoing, on either side of the fence.
        const bool late = p.fault == kLateWrite;
        if (late) (registers ? void(fragments[0] ^= 1) : void(sums[0] += 1));
        if (p.fault == kNoRegisterFence) {
            wgmma_fence(fragments);
        } else {
            wgmma_fence(sums, fragments);
        }
        if (late) (registers ? void(fragments[0] ^= 1) : void(sums[0] -= 1));
        for (int k = 0; k < depth; k += 16) {
            int shift = p.fault == kDescriptor ? 16 : 0;
            if constexpr (registers) {
                uint64_t of_b = matrix_descriptor(b, depth * 128, 1024 + shift);
                wgmma<T>(sums, fragments + k / 4, advance(of_b, k * 128));
            } else {
                uint64_t of_a = matrix_descriptor(a + k / 64 * 64 * 128, 16, 1024);
                uint64_t of_b = matrix_descriptor(b + k / 64 * N * 128, 16, 1024 + shift);
                wgmma<T>(sums, advance(of_a, k % 64 * 2), advance(of_b, k % 64 * 2), round > 0 || k > 0);
            }
        }
        wgmma_commit();
        if (p.fault == kNoProductWait) {
            wgmma_wait<1>(sums, fragments);
        } else {
            wgmma_wait<0>(sums, fragments);
        }
        if (lane == 0 || (p.fault == kTwoArrivals && lane == 1)) barrier_arrive(empty);
    }
    for (int i = 0; i < N / 2; i++) p.d[(row + i % 4 / 2 * 8) * N + i / 4 * 8 + column + i % 2] = sums[i];
    if (p.fault == kNoProductWait) wgmma_wait<0>(sums);
}

#define PRODUCT(name, T, N, depth, registers)              \
    TENON_KERNEL(wgmma_test_##name, Params, kThreads, 1) { \
        product<T, N, depth, registers>(p);                \
    }
PRODUCT(shared_f16_128, f16, 128, 128, false)
PRODUCT(shared_bf16_80, bf16, 80, 64, false)
PRODUCT(registers_f16_64, f16, 64, 48, true)
PRODUCT(registers_bf16_128, bf16, 128, 80, true)
PRODUCT(registers_f16_256, f16, 256, 16, true)

// A tensor of 4 dimensions, 3 and 2 the outer ones, rows padded.
template <class T>
struct Tensor {
    int64_t columns, rows, stride;
    Buffer<T> data;
    Tensor(int64_t columns, int64_t rows)
        : columns(columns), rows(rows), stride((columns + 7) / 8 * 8 + 8), data(3 * 2 * rows * stride) {
        for (int64_t i = 0; i < data.size(); i++) data[i] = from_float<T>(static_cast<float>(i * 7 % 11 - 5));
    }
    // Element (row, column) of outer index (z, w); 0 outside.
    double at(int64_t row, int64_t column, int z, int w) const {
        if (row < 0 || row >= rows || column < 0 || column >= columns) return 0;
        return to_float(data[((w * 2 + z) * rows + row) * stride + column]);
    }
    tenon_cuda_tensor_map map(int64_t offset, int64_t box_columns, int64_t box_rows, int64_t swizzle = 128) {
        return {offset,
                type_code<T>(),
                4,
                swizzle,
                data.data(),
                {columns, rows, 2, 3},
                {2, stride * 2, rows * stride * 2, 2 * rows * stride * 2},
                {box_columns, box_rows, 1, 1}};
    }
};

template <class T, int N, int depth, bool registers>
bool product_is_right(const char* kernel, int fault, uint64_t seed) {
    constexpr int rounds = 3;
    // Odd sizes: the last boxes reach over the edges.
    Tensor<T> a(registers ? rounds * depth : rounds * depth - 11, registers ? 64 : 59);
    Tensor<T> b(registers ? N - 21 : rounds * depth - 5, registers ? rounds * depth - 3 : N + 1);
    Buffer<T> fragments(64 * rounds * depth);
    for (int64_t i = 0; i < fragments.size(); i++) {
        fragments[i] = from_float<T>(static_cast<float>(a.at(i / (rounds * depth), i % (rounds * depth), 0, 0)));
    }
    Buffer<float> d(64 * N);
    Params p{};
    p.a = fragments.data();
    p.d = d.data();
    p.rounds = rounds;
    p.fault = fault;
    static tenon_cuda_plan plan;
    plan.launch_count = 1;
    tenon_cuda_launch& launch = plan.launches[0];
    launch.kernel = kernel;
    launch.grid[0] = launch.grid[1] = launch.grid[2] = 1;
    launch.block = kThreads;
    launch.shared_bytes = (registers ? 0 : 64 * depth * 2) + N * depth * 2 + 64;
    launch.params_bytes = sizeof p;
    std::memcpy(launch.params, &p, sizeof p);
    launch.tensor_map_count = 2;
    launch.tensor_maps[0] = a.map(offsetof(Params, a_map), 64, 64);
    launch.tensor_maps[1] = b.map(offsetof(Params, b_map), fault == kSwizzle ? 32 : 64, registers ? depth : N,
                                  fault == kSwizzle ? 64 : 128);
    simt::execute(plan, seed);
    for (int m = 0; m < 64; m++) {
        for (int n = 0; n < N; n++) {
            double want = 0;
            for (int k = 0; k < rounds * depth; k++) {
                if (registers ? k % depth == 0 && n / 8 == 1 : n == 0 && k % depth / 8 == 1) continue;
                want +=
                    registers ? a.at(m, k, 0, 0) * b.at(k, n - 8, 1, 2) : a.at(m - 3, k, 0, 0) * b.at(n + 5, k, 1, 2);
            }
            if (d[m * N + n] != want) return false;
        }
    }
    return true;
}

template <class T, int N, int depth, bool registers>
void check(const char* kernel) {
    for (uint64_t seed = 1; seed <= 5; seed++) {
        where = std::string(kernel) + ", seed " + std::to_string(seed);
        if (!product_is_right<T, N, depth, registers>(kernel, kNone, seed)) fail("a wrong product");
    }
    for (int fault = kNoFullWait; fault <= kLateWrite; fault++) {
        where = std::string(kernel) + ", fault " + std::to_string(fault);
        if (!fails_in_child([&](uint64_t s) { return product_is_right<T, N, depth, registers>(kernel, fault, s); })) {
            fail("the planted fault was not found");
        }
    }
}

}  // namespace

int main() {
    check<f16, 128, 128, false>("wgmma_test_shared_f16_128");
    check<bf16, 80, 64, false>("wgmma_test_shared_bf16_80");
    check<f16, 64, 48, true>("wgmma_test_registers_f16_64");
    check<bf16, 128, 80, true>("wgmma_test_registers_bf16_128");
    check<f16, 256, 16, true>("wgmma_test_registers_f16_256");
    return result();
}
