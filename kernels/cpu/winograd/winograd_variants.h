// The variants of what depends on the instruction set, one namespace each.
#ifndef TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_VARIANTS_H
#define TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_VARIANTS_H

#include "winograd.h"

namespace tenon::cpu {

// One panel of packed weights, [point][channel][output]: what it is made of.
struct WinogradWeights {
    double transform[6][3];
    const float* weights;  // of all output channels
    float* packed;         // of this panel
    int64_t in_channels;
    int64_t channels;  // in_channels with padding
    int64_t points;    // in one direction
    int64_t first;     // output channel
    int64_t outputs;   // output channels that exist
    int64_t width;     // with padding: 16 or 32
};

}  // namespace tenon::cpu

#define TENON_KERNEL(isa)                                                                                       \
    namespace tenon::cpu::isa {                                                                                 \
    void winograd_run_phase(const WinogradPlan& plan, const WinogradArgs& args, int64_t phase, int64_t thread); \
    void winograd_pack_panel(const WinogradWeights& w);                                                         \
    }
#include "winograd.inc"

#endif
