// Layer, RMS and group normalisation of f32 rows.
#ifndef TENON_KERNELS_CPU_NORM_NORM_H
#define TENON_KERNELS_CPU_NORM_NORM_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

// s[r, i] = x[r, i] + residual[r, i]
// layer:  y[r, i] = (s[r, i] - mean_r) / sqrt(variance_r + epsilon) * scale[i] + bias[i]
// rms:    y[r, i] = s[r, i] / sqrt(mean_j(s[r, j]^2) + epsilon) * scale[i] + bias[i]
// Rows are dense arrays of cols >= 0 elements. Variance is that of the population, computed around the mean (two
// passes). Aliasing: y may be x or residual, sum may be x or residual (not both outputs the same memory); nothing else
// overlaps.
struct RowNormParams {
    const float* x;
    const float* residual;  // null: 0
    const float* scale;     // [cols]; null: 1
    const float* bias;      // [cols]; null: 0
    float* y;
    float* sum;      // receives s; may be null
    float* mean;     // [rows], layer only; may be null
    float* inv_std;  // [rows], 1 / sqrt(... + epsilon); may be null
    int64_t cols;
    float epsilon;
};

// x, y [batch, channels, inner]; statistics over the channels of a group and inner; scale and bias per channel.
// groups divides channels; groups = channels is instance normalisation. A row is one (batch, group) pair:
// row = n * groups + g. y may be x.
struct GroupNormParams {
    const float* x;
    const float* scale;  // [channels]; null: 1
    const float* bias;   // [channels]; null: 0
    float* y;
    int64_t channels;
    int64_t groups;
    int64_t inner;
    float epsilon;
};

// Each computes rows row_begin .. row_end-1.
struct NormKernels {
    Isa isa;
    void (*layer_norm)(const RowNormParams& params, int64_t row_begin, int64_t row_end);
    void (*rms_norm)(const RowNormParams& params, int64_t row_begin, int64_t row_end);
    void (*group_norm)(const GroupNormParams& params, int64_t row_begin, int64_t row_end);
};

#define TENON_KERNEL(isa, name)    \
    namespace isa {                \
    extern const NormKernels name; \
    }
#include "norm.inc"
#undef TENON_KERNEL

// The best variant this processor runs that is not above max.
const NormKernels& select_norm(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
