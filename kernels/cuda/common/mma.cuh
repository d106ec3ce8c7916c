// Tensor core products of one warp (sm_80): mma.sync.m16n8k16 with 16-bit inputs and fp32 sums, and ldmatrix, which
// loads their operands. Fragment layouts: PTX ISA, "Matrix Fragments for mma.m16n8k16" and "ldmatrix".
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

// d += a * b. a is 16 x 16 (row), b 16 x 8 (column), d 16 x 8. With g = lane / 4 and t = lane % 4, the lane holds
//   a[0] = A[g][2t, 2t+1]   a[1] = A[g+8][2t, 2t+1]   a[2] = A[g][2t+8, 2t+9]   a[3] = A[g+8][2t+8, 2t+9]
//   b[0] = B[2t, 2t+1][g]   b[1] = B[2t+8, 2t+9][g]
//   d[0], d[1] = D[g][2t, 2t+1]   d[2], d[3] = D[g+8][2t, 2t+1]
// Two 16-bit values to a register, the lower index in the lower half. T is f16 or bf16. All lanes take part.
template <class T>
TENON_DEVICE void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(TENON_ON_GPU)
    if constexpr (__is_same(T, f16)) {
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    } else {
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
    }
#else
    struct In {
        uint32_t a[4], b[2];
        float d[4];
    } in;
    for (int i = 0; i < 4; i++) in.a[i] = a[i], in.d[i] = d[i];
    for (int i = 0; i < 2; i++) in.b[i] = b[i];
    struct Out {
        float d[4];
    };
    Out out = simt::exchange<Out>(kAllLanes, "mma", in, [](const In* all, int lane) {
        auto half = [](uint32_t pair, int i) { return to_float(T{static_cast<uint16_t>(pair >> (16 * (i & 1)))}); };
        // Element (row, k) of A and (k, column) of B, found in the lane that holds it.
        auto a_at = [&](int row, int k) { return half(all[row % 8 * 4 + k % 8 / 2].a[row / 8 + k / 8 * 2], k); };
        auto b_at = [&](int k, int column) { return half(all[column * 4 + k % 8 / 2].b[k / 8], k); };
        Out r;
        for (int i = 0; i < 4; i++) {
            int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            float sum = all[lane].d[i];
            for (int k = 0; k < 16; k++) sum += a_at(row, k) * b_at(k, column);
            r.d[i] = sum;
        }
        return r;
    });
    for (int i = 0; i < 4; i++) d[i] = out.d[i];
#endif
}

// Loads four 8 x 8 matrices of 16-bit elements. Lane l gives the address (in shared memory, a multiple of 16) of row
// l % 8 of matrix l / 8. r[i] receives, of matrix i, elements [lane / 4][2 * (lane % 4)] and the next; with
// `transposed`, elements [2 * (lane % 4)][lane / 4] and the one of the next row.
template <bool transposed = false>
TENON_DEVICE void ldmatrix_x4(uint32_t (&r)[4], const void* row) {
#if defined(TENON_ON_GPU)
    uint32_t address = static_cast<uint32_t>(__cvta_generic_to_shared(row));
    if constexpr (transposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(address)
                     : "memory");
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                     : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                     : "r"(address)
                     : "memory");
    }
#else
    if (reinterpret_cast<uintptr_t>(row) % 16 != 0) simt::fail("ldmatrix: misaligned row address");
    struct In {
        uint16_t v[8];
    };
    struct Out {
        uint32_t r[4];
    };
    // Each lane reads its own row, so that the sanitizers see who reads what.
    In in = *static_cast<const In*>(row);
    Out out = simt::exchange<Out>(kAllLanes, "ldmatrix", in, [](const In* all, int lane) {
        Out o;
        for (int i = 0; i < 4; i++) {
            int p = lane / 4, q = lane % 4 * 2;
            uint32_t low = transposed ? all[i * 8 + q].v[p] : all[i * 8 + p].v[q];
            uint32_t high = transposed ? all[i * 8 + q + 1].v[p] : all[i * 8 + p].v[q + 1];
            o.r[i] = low | high << 16;
        }
        return o;
    });
    for (int i = 0; i < 4; i++) r[i] = out.r[i];
#endif
}

// Transposes an 8 x 8 matrix of 16-bit elements that the warp holds as ldmatrix leaves it: the lane gives elements
// [lane / 4][2 * (lane % 4)] and the next, and receives [2 * (lane % 4)][lane / 4] and the one of the next row.
TENON_DEVICE uint32_t transpose_8x8(uint32_t pair) {
#if defined(TENON_ON_GPU)
    uint32_t r;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(r) : "r"(pair));
    return r;
#else
    return simt::exchange<uint32_t>(kAllLanes, "movmatrix", pair, [](const uint32_t* all, int lane) {
        int row = lane / 4, column = lane % 4 * 2;
        auto at = [&](int i, int j) { return all[i * 4 + j / 2] >> (16 * (j % 2)) & 0xffff; };
        return at(column, row) | at(column + 1, row) << 16;
    });
#endif
}

}  // namespace tenon::cuda
