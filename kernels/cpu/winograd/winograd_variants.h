// The variants of winograd_run_phase, one namespace per instruction set.
#ifndef TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_VARIANTS_H
#define TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_VARIANTS_H

#include "winograd.h"

#define TENON_KERNEL(isa)                                                                                       \
    namespace tenon::cpu::isa {                                                                                 \
    void winograd_run_phase(const WinogradPlan& plan, const WinogradArgs& args, int64_t phase, int64_t thread); \
    }
#include "winograd.inc"

#endif
