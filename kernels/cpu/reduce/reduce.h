// Reductions over one axis of [outer, axis, inner] arrays.
#ifndef TENON_KERNELS_CPU_REDUCE_REDUCE_H
#define TENON_KERNELS_CPU_REDUCE_REDUCE_H

#include <stdint.h>

#include "../common/cpu_features.h"
#include "../common/element_type.h"

namespace tenon::cpu {

// The numbers are those of TENON_REDUCE_* in tenon.h.
enum class Reduction : int32_t {
    sum = 0,
    mean = 1,
    max = 2,
    min = 3,
    prod = 4,
    l1 = 5,
    l2 = 6,
    sum_square = 7,
    log_sum = 8,
    log_sum_exp = 9,
    arg_max = 16,
    arg_min = 17,
};

// y[o, i] = reduction over a of x[o, a, i]; x and y are dense. Several axes: merge them to one where they are
// neighbours, else reduce one after the other (sum, mean, max, min, prod, l1, sum_square can be chained so).
//   Types      f32 for all; i32, i64: sum, mean (truncated), max, min, prod, l1, sum_square, arg_*; u8, i8: max, min,
//   arg_*;
//              f64 for all. y has the type of x, i64 for arg_*.
//   Numerics   f32 sums are pairwise over blocks (error grows with the logarithm of axis); integers wrap.
//   NaN        max, min: a NaN in gives NaN out. arg_*: the first NaN wins, as in NumPy.
//   Empty      axis 0: sum, l1, l2, sum_square 0; prod 1; log_sum and log_sum_exp -inf; mean NaN (integers 0); max the
//              lowest and min the highest value (-inf, inf); arg_* 0.
//   Aliasing   none.
// A lane is one element of y, lane = o * inner + i.
struct ReduceParams {
    const void* x;
    void* y;
    Reduction reduction;
    ElementType type;
    int64_t axis;
    int64_t inner;
    bool select_last;  // arg_*: the last of equal elements
};

struct ReduceKernels {
    Isa isa;
    // Whether run does this reduction for this type.
    bool (*supported)(Reduction reduction, ElementType type);
    // Computes lanes lane_begin .. lane_end-1.
    void (*run)(const ReduceParams& params, int64_t lane_begin, int64_t lane_end);
};

#define TENON_KERNEL(isa, name)      \
    namespace isa {                  \
    extern const ReduceKernels name; \
    }
#include "reduce.inc"
#undef TENON_KERNEL

const ReduceKernels& select_reduce(Isa max = Isa::avx512);

}  // namespace tenon::cpu
#endif
