// The elementwise half of an LSTM or GRU step, after the products with the gates' weights.
#ifndef TENON_KERNELS_CPU_RNN_RNN_H
#define TENON_KERNELS_CPU_RNN_RNN_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

// gates [rows, 4, hidden] in ONNX order i, o, f, c, biases already added. Peepholes p_i, p_o, p_f [hidden] may be null.
//   i = sigmoid(i + p_i c0)   f = sigmoid(f + p_f c0)   g = tanh(g)   c1 = f c0 + i g   o = sigmoid(o + p_o c1)
//   h1 = o tanh(c1)
// c1 may be c0.
struct LstmParams {
    const float* gates;
    const float* c0;
    const float* p_i;
    const float* p_o;
    const float* p_f;
    float* c1;
    float* h1;
    int64_t hidden;
    int64_t gates_stride;  // elements between rows
    int64_t c0_stride, c1_stride, h1_stride;
};

// x_gates, h_gates [rows, 3, hidden] in ONNX order z, r, h: products of input and state with biases added to each.
//   z = sigmoid(xz + hz)   r = sigmoid(xr + hr)   n = tanh(xh + r hh)   h1 = (1 - z) n + z h0
// This is linear_before_reset = 1. h1 may be h0.
struct GruParams {
    const float* x_gates;
    const float* h_gates;
    const float* h0;
    float* h1;
    int64_t hidden;
    int64_t x_gates_stride, h_gates_stride;  // elements between rows
    int64_t h0_stride, h1_stride;
};

// Units unit_begin .. unit_end-1, of 0 .. hidden-1, in rows row_begin .. row_end-1.
struct RnnRange {
    int64_t row_begin, row_end, unit_begin, unit_end;
};

// Each does a range of the units.
struct RnnKernels {
    Isa isa;
    void (*lstm)(const LstmParams& params, const RnnRange& range);
    void (*gru)(const GruParams& params, const RnnRange& range);
};

#define TENON_KERNEL(isa, name)   \
    namespace isa {               \
    extern const RnnKernels name; \
    }
#include "rnn.inc"
#undef TENON_KERNEL

const RnnKernels& select_rnn(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
