// Tensor core products of a warpgroup (sm_90a wgmma): 128 threads, whose first is a multiple of 128, multiply a 64 x 16
// matrix A by a 16 x N matrix B of 16-bit elements and add to fp32 sums. The products run behind the threads' back:
//
//   wgmma_fence(sums, a);            // after these registers were written otherwise
//   wgmma(sums, ...); ...            // until the wait, neither sums, a nor the matrices in shared memory may change
//   wgmma_commit();                  // ends a group
//   wgmma_wait<0>(sums, a);          // at most 0 groups are left: sums may be read
//
// Source: PTX ISA 9.0, wgmma.mma_async ("Register Fragments", "Shared Memory Matrix Layout", "Matrix Descriptor
// Format", "Async Proxy"), wgmma.fence, wgmma.wait_group. The strides of the descriptors, where its text is hard to
// read, are as CUTLASS has them (cute/atom/mma_traits_sm90_gmma.hpp: canonical layouts of B128, MN-major and K-major).
#pragma once
#include "common/barrier.cuh"

namespace tenon::cuda {

// Where a matrix lies in shared memory, in rows of 128 bytes with the 128-byte swizzle, as bulk_load leaves it. `start`
// is a multiple of 1024.
//   K-major (A, and B transposed): a row holds 64 values of k of one m (or n). stride_bytes: from 8 rows to the next 8.
//     leading_bytes means nothing. k + 16: the start moves on by 32 bytes.
//   MN-major (B): a row holds 64 values of n of one k. stride_bytes: from 8 rows (of k) to the next 8; leading_bytes:
//     from 64 values of n to the next 64. k + 16: the start moves on by 16 rows.
TENON_DEVICE uint64_t matrix_descriptor(const void* start, int leading_bytes, int stride_bytes) {
    uint32_t address = shared_address(start);
#if !defined(TENON_ON_GPU)
    if (address % 1024 != 0) simt::fail("matrix_descriptor: the start is not a multiple of 1024");
    if (leading_bytes % 16 != 0 || stride_bytes % 16 != 0) simt::fail("matrix_descriptor: misaligned stride");
#endif
    return uint64_t{1} << 62 | static_cast<uint64_t>(stride_bytes >> 4) << 32 |
           static_cast<uint64_t>(leading_bytes >> 4) << 16 | (address & 0x3ffff) >> 4;
}
// Moves the start; in the lower half only, as the compiler cannot know that nothing is carried.
TENON_DEVICE uint64_t advance(uint64_t descriptor, int bytes) {
    return descriptor >> 32 << 32 | (static_cast<uint32_t>(descriptor) + static_cast<uint32_t>(bytes >> 4));
}

#if defined(TENON_ON_GPU)
namespace detail {
// The asm volatile orders uses of the registers after (or before) what stands in between for the compiler, too. Without
// it the assembler may add fences and waits of its own or serialise the products (its remarks C7510 to C7519), which
// the build refuses.
template <int N>
TENON_DEVICE void hold(float (&r)[N]) {
    TENON_UNROLL
    for (int i = 0; i < N; i++) asm volatile("" : "+f"(r[i])::"memory");
}
template <int N>
TENON_DEVICE void hold(uint32_t (&r)[N]) {
    TENON_UNROLL
    for (int i = 0; i < N; i++) asm volatile("" : "+r"(r[i])::"memory");
}
}  // namespace detail
#else
namespace host {
// What wgmma_fence and wgmma_wait have been told of registers. Sums whose products are under way are left as they are.
template <class Array>
void hand_over(Array& array) {
    const unsigned char* at = reinterpret_cast<const unsigned char*>(&array);
    std::vector<simt::Handed>& handed = simt::handed_registers();
    for (simt::Handed& h : handed) {
        if (h.at != at) continue;
        if (!h.sums) h.values.assign(at, at + sizeof array);
        return;
    }
    handed.push_back({at, {at, at + sizeof array}, false});
}
template <class Array>
void take_back(Array& array) {
    const void* at = &array;
    std::erase_if(simt::handed_registers(), [at](const simt::Handed& h) { return h.at == at; });
}
// Registers on their way into wgmma.
inline void check_handed(const void* registers, size_t bytes, bool sums) {
    const unsigned char* from = static_cast<const unsigned char*>(registers);
    for (simt::Handed& h : simt::handed_registers()) {
        if (from < h.at || from + bytes > h.at + h.values.size()) continue;
        if (!h.sums && std::memcmp(from, h.values.data() + (from - h.at), bytes) != 0) {
            simt::fail("wgmma: registers were written after wgmma_fence");
        }
        h.sums = h.sums || sums;
        return;
    }
    simt::fail("wgmma: registers that no wgmma_fence names since the last wait for them");
}
}  // namespace host
#endif

template <class... Arrays>
TENON_DEVICE void wgmma_fence(Arrays&... arrays) {
#if defined(TENON_ON_GPU)
    (detail::hold(arrays), ...);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#else
    (host::hand_over(arrays), ...);
#endif
}

TENON_DEVICE void wgmma_commit() {
#if defined(TENON_ON_GPU)
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#else
    simt::async_commit(simt::Async::matrix);
#endif
}

// `arrays`: the registers of the groups that have ended.
template <int groups_left, class... Arrays>
TENON_DEVICE void wgmma_wait(Arrays&... arrays) {
#if defined(TENON_ON_GPU)
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(groups_left) : "memory");
    (detail::hold(arrays), ...);
#else
    simt::async_wait(simt::Async::matrix, groups_left);
    (host::take_back(arrays), ...);
    __syncwarp();  // it is `aligned`: the warp goes on as one
#endif
}

#if defined(TENON_ON_GPU)
namespace detail {
// Operand lists. R: register numbers of ten; F: ten sums from d[i] on.
#define TENON_R(t) \
    "%" #t "0, %" #t "1, %" #t "2, %" #t "3, %" #t "4, %" #t "5, %" #t "6, %" #t "7, %" #t "8, %" #t "9, "
#define TENON_F2(i) "+f"(d[i]), "+f"(d[i + 1])
#define TENON_F8(i) TENON_F2(i), TENON_F2(i + 2), TENON_F2(i + 4), TENON_F2(i + 6)
#define TENON_F32(i) TENON_F8(i), TENON_F8(i + 8), TENON_F8(i + 16), TENON_F8(i + 24)
#define TENON_R32 TENON_R() TENON_R(1) TENON_R(2) "%30, %31"
#define TENON_R40 TENON_R() TENON_R(1) TENON_R(2) "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39"
#define TENON_R64 TENON_R() TENON_R(1) TENON_R(2) TENON_R(3) TENON_R(4) TENON_R(5) "%60, %61, %62, %63"
// clang-format off
#define TENON_R128 \
    TENON_R() TENON_R(1) TENON_R(2) TENON_R(3) TENON_R(4) TENON_R(5) TENON_R(6) TENON_R(7) TENON_R(8) TENON_R(9) \
    TENON_R(10) TENON_R(11) "%120, %121, %122, %123, %124, %125, %126, %127"
// clang-format on

// i0 to i4 are the numbers of the operands after the sums.
#define TENON_WGMMA_SHARED(n, type, registers, i0, i1, i2, ...)                                            \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, %" #i2 ", 0;\nwgmma.mma_async.sync.aligned.m64n" #n \
                 "k16.f32." type "." type " {" registers "}, %" #i0 ", %" #i1 ", add, 1, 1, 0, 0;\n}"      \
                 : __VA_ARGS__                                                                             \
                 : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)))
#define TENON_WGMMA_REGISTERS(n, type, registers, i0, i1, i2, i3, i4, ...)                                            \
    asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32." type "." type " {" registers "}, {%" #i0 ", %" #i1 \
                 ", %" #i2 ", %" #i3 "}, %" #i4 ", 1, 1, 1, 1;"                                                       \
                 : __VA_ARGS__                                                                                        \
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b))

template <class T, int N>
struct Wgmma;
#define TENON_WGMMA_TYPE(T, type)                                                                              \
    template <>                                                                                                \
    struct Wgmma<T, 64> {                                                                                      \
        static TENON_DEVICE void registers(float (&d)[32], const uint32_t* a, uint64_t b) {                    \
            TENON_WGMMA_REGISTERS(64, type, TENON_R32, 32, 33, 34, 35, 36, TENON_F32(0));                      \
        }                                                                                                      \
    };                                                                                                         \
    template <>                                                                                                \
    struct Wgmma<T, 80> {                                                                                      \
        static TENON_DEVICE void shared(float (&d)[40], uint64_t a, uint64_t b, bool accumulate) {             \
            TENON_WGMMA_SHARED(80, type, TENON_R40, 40, 41, 42, TENON_F32(0), TENON_F8(32));                   \
        }                                                                                                      \
    };                                                                                                         \
    template <>                                                                                                \
    struct Wgmma<T, 128> {                                                                                     \
        static TENON_DEVICE void shared(float (&d)[64], uint64_t a, uint64_t b, bool accumulate) {             \
            TENON_WGMMA_SHARED(128, type, TENON_R64, 64, 65, 66, TENON_F32(0), TENON_F32(32));                 \
        }                                                                                                      \
        static TENON_DEVICE void registers(float (&d)[64], const uint32_t* a, uint64_t b) {                    \
            TENON_WGMMA_REGISTERS(128, type, TENON_R64, 64, 65, 66, 67, 68, TENON_F32(0), TENON_F32(32));      \
        }                                                                                                      \
    };                                                                                                         \
    template <>                                                                                                \
    struct Wgmma<T, 256> {                                                                                     \
        static TENON_DEVICE void registers(float (&d)[128], const uint32_t* a, uint64_t b) {                   \
            TENON_WGMMA_REGISTERS(256, type, TENON_R128, 128, 129, 130, 131, 132, TENON_F32(0), TENON_F32(32), \
                                  TENON_F32(64), TENON_F32(96));                                               \
        }                                                                                                      \
    };
TENON_WGMMA_TYPE(f16, "f16")
TENON_WGMMA_TYPE(bf16, "bf16")
}  // namespace detail

#else

namespace host {
// `count` elements from (mn, k) on, along k or mn, of the matrix that the descriptor names; within 16 bytes.
template <class T, int count>
void load_matrix(uint64_t descriptor, bool k_major, int mn, int k, float* values) {
    uint32_t start = static_cast<uint32_t>(descriptor & 0x3fff) << 4;
    uint32_t leading = static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4;
    uint32_t stride = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4;
    if (descriptor >> 62 != 1 || (descriptor & 0x3fffc000c000c000) != 0) {
        simt::fail("wgmma: descriptor %016llx is none of the 128-byte swizzle with base offset 0",
                   static_cast<unsigned long long>(descriptor));
    }
    if (start % 1024 >= 128 || (!k_major && start % 1024 != 0)) simt::fail("wgmma: the matrix starts within a pattern");
    uint32_t m = static_cast<uint32_t>(mn), c = static_cast<uint32_t>(k);
    uint32_t address = start + (k_major ? m / 8 * stride + m % 8 * 128 + c * 2
                                        : m / 64 * leading + m % 64 * 2 + c / 8 * stride + c % 8 * 128);
    address ^= (address >> 7 & 7) << 4;
    struct alignas(2 * count) Elements {
        T v[count];
    } elements = *reinterpret_cast<const Elements*>(simt::dynamic_shared() + address - 1024);
    if (std::memcmp(&elements, simt::async_shared() + address - 1024, sizeof elements) != 0) {
        simt::fail("wgmma: reads ordinary stores that no async_proxy_fence has published");
    }
    for (int i = 0; i < count; i++) values[i] = to_float(elements.v[i]);
}

// Local data only: not worth the sanitizers' time.
__attribute__((no_sanitize("thread", "address"))) inline float dot(const float* x, const float* y, float sum) {
    for (int k = 0; k < 16; k++) sum += x[k] * y[k];
    return sum;
}

// Each thread computes its own sums. With g = lane / 4 and t = lane % 4, those of warp w are
//   d[4j + i] = D[16w + g + 8 * (i / 2)][8j + 2t + i % 2]
// and a[] is as in mma_m16n8k16, of rows 16w to 16w + 15. a_registers is null when A is in shared memory.
template <class T, int N>
void wgmma(float* d, const uint32_t* a_registers, uint64_t a, uint64_t b, bool accumulate) {
    struct In {
        uint64_t a, b;
        uint32_t registers[4], accumulate;
    } in = {a, b, {}, accumulate};
    check_handed(d, N / 2 * sizeof *d, true);
    if (a_registers) {
        check_handed(a_registers, sizeof in.registers, false);
        std::memcpy(in.registers, a_registers, sizeof in.registers);
    }
    struct Row {
        float v[16];
    };
    struct Out {
        Row rows[2];
    };
    Out rows = simt::exchange<Out>(kAllLanes, "wgmma", in, [](const In* all, int lane) {
        if (all[lane].a != all[0].a || all[lane].b != all[0].b || all[lane].accumulate != all[0].accumulate) {
            simt::fail("wgmma: lanes differ in a descriptor");
        }
        Out o;
        for (int k = 0; k < 16; k++) {
            for (int r = 0; r < 2; r++) {
                uint32_t pair = all[lane / 4 * 4 + k % 8 / 2].registers[r + k / 8 * 2];
                o.rows[r].v[k] = to_float(T{static_cast<uint16_t>(pair >> (16 * (k & 1)))});
            }
        }
        return o;
    });
    simt::async_push(simt::Async::matrix, [=]() mutable {
        int lane = lane_id(), row = warp_id() % 4 * 16 + lane / 4, column = lane % 4 * 2;
        if (a_registers) {
            if (std::memcmp(in.registers, a_registers, 16) != 0) simt::fail("wgmma: A changed before the wait");
        } else {
            for (int r = 0; r < 2; r++) {
                for (int k = 0; k < 16; k += 8) load_matrix<T, 8>(a, true, row + 8 * r, k, rows.rows[r].v + k);
            }
        }
        for (int j = 0; j < N / 8; j++) {
            // Columns 8j + 2t and 8j + 2t + 1 of B.
            float columns[2][16];
            for (int i = 0; i < 2 && !a_registers; i++) {
                for (int k = 0; k < 16; k += 8) load_matrix<T, 8>(b, true, 8 * j + column + i, k, columns[i] + k);
            }
            for (int k = 0; k < 16 && a_registers; k++) {
                float pair[2];
                load_matrix<T, 2>(b, false, 8 * j + column, k, pair);
                columns[0][k] = pair[0], columns[1][k] = pair[1];
            }
            for (int i = 0; i < 4; i++) {
                float* sum = d + 4 * j + i;
                *sum = dot(rows.rows[i / 2].v, columns[i % 2], accumulate ? *sum : 0.0f);
            }
        }
    });
}
}  // namespace host
#endif

// d += A * B (without accumulate: d = A * B), A and B K-major in shared memory. N is 80 or 128; thread's part of d as
// in host::wgmma.
template <class T, int N>
TENON_DEVICE void wgmma(float (&d)[N], uint64_t a, uint64_t b, bool accumulate) {
#if defined(TENON_ON_GPU)
    detail::Wgmma<T, 2 * N>::shared(d, a, b, accumulate);
#else
    host::wgmma<T, 2 * N>(d, nullptr, a, b, accumulate);
#endif
}

// d += A * B, A in registers (4 of each thread, as for mma_m16n8k16), B MN-major in shared memory. N is 64, 128, 256.
template <class T, int N>
TENON_DEVICE void wgmma(float (&d)[N], const uint32_t* a, uint64_t b) {
#if defined(TENON_ON_GPU)
    detail::Wgmma<T, 2 * N>::registers(d, a, b);
#else
    host::wgmma<T, 2 * N>(d, a, 0, b, true);
#endif
}

}  // namespace tenon::cuda
