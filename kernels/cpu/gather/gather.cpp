#include "gather.h"

namespace tenon::cpu {

const GatherKernels& select_gather(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "gather.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

}  // namespace tenon::cpu
