#include "reduce.h"

namespace tenon::cpu {

const ReduceKernels& select_reduce(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "reduce.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

}  // namespace tenon::cpu
