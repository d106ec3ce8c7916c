// Products with few rows: y[M, N] = x[M, K] W[K, N], f32, with W packed once.
#ifndef TENON_KERNELS_CPU_GEMV_GEMV_H
#define TENON_KERNELS_CPU_GEMV_GEMV_H

#include <stdint.h>

#include "../common/cpu_features.h"
#include "../elementwise/elementwise.h"

namespace tenon::cpu {

constexpr int64_t kGemvMaxRows = 8;
// Columns of a panel. The packed form is [ceil(N / 64)][K][64] f32, the last panel filled up with zeros, so each weight
// is read once, in order. It is the same for all instruction sets.
constexpr int64_t kGemvPanel = 64;

// Bytes of the packed form; K, N >= 0.
constexpr int64_t gemv_packed_bytes(int64_t k, int64_t n) {
    return (n + kGemvPanel - 1) / kGemvPanel * kGemvPanel * k * 4;
}

// Packs panels panel_begin .. panel_end-1 of W. Element (k, n) of W is w[k * row_stride + n * col_stride]: a [K, N]
// matrix has strides N and 1, a transposed one [N, K] strides 1 and K. packed: gemv_packed_bytes, 64-byte aligned for
// best speed.
void gemv_pack(const float* w, int64_t row_stride, int64_t col_stride, int64_t k, int64_t n, float* packed,
               int64_t panel_begin, int64_t panel_end);

// y[m, n] = f(sum_k x[m, k] W[k, n] + bias[n] + residual[m, n]), f = activation (identity, relu, leaky_relu, clip,
// sigmoid, tanh, silu, gelu_erf, gelu_tanh, hard_swish, hard_sigmoid, elu). residual may be y; otherwise no aliasing.
struct GemvParams {
    const float* x;
    const float* packed;
    const float* bias;      // [N]; null: 0
    const float* residual;  // null: 0
    float* y;
    int64_t m;  // 1..8
    int64_t k;
    int64_t n;
    int64_t x_stride;  // elements between rows, as the next two
    int64_t residual_stride;
    int64_t y_stride;
    Function activation;
    float alpha;
    float beta;
};

struct GemvKernels {
    Isa isa;
    // Whether run has this activation.
    bool (*supported)(Function activation);
    // Computes the columns of panels panel_begin .. panel_end-1 (of ceil(N / 64)).
    void (*run)(const GemvParams& params, int64_t panel_begin, int64_t panel_end);
};

#define TENON_KERNEL(isa, name)    \
    namespace isa {                \
    extern const GemvKernels name; \
    }
#include "gemv.inc"
#undef TENON_KERNEL

const GemvKernels& select_gemv(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
