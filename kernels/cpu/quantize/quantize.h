// QuantizeLinear and DequantizeLinear between f32 and u8, i8 (dequantize: also i32).
#ifndef TENON_KERNELS_CPU_QUANTIZE_QUANTIZE_H
#define TENON_KERNELS_CPU_QUANTIZE_QUANTIZE_H

#include <stdint.h>

#include "../common/cpu_features.h"
#include "../common/element_type.h"

namespace tenon::cpu {

// x, y [outer, axis, inner]; scale and zero_point [axis]; per tensor: axis 1, inner = all elements.
// quantize:    y = saturate(round_half_even(x / scale) + zero_point); NaN gives zero_point.
// dequantize:  y = (x - zero_point) * scale.
struct QuantizeParams {
    const void* x;
    void* y;
    const float* scale;
    const void* zero_point;  // of the integer type; null: 0
    ElementType type;        // the integer type: u8, i8; dequantize: also i32
    int64_t axis;
    int64_t inner;
};

// Each does elements begin .. end-1.
struct QuantizeKernels {
    Isa isa;
    void (*quantize)(const QuantizeParams& params, int64_t begin, int64_t end);
    void (*dequantize)(const QuantizeParams& params, int64_t begin, int64_t end);
};

#define TENON_KERNEL(isa, name)        \
    namespace isa {                    \
    extern const QuantizeKernels name; \
    }
#include "quantize.inc"
#undef TENON_KERNEL

const QuantizeKernels& select_quantize(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
