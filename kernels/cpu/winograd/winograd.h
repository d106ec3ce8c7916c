// Winograd convolution F(m x m, 3 x 3), m = 2 or 4: fp32, 3x3, stride 1, no dilation, one group, forward.
//
//   dst[n,k,y,x] = clamp(residual[n,k,y,x] + bias[k]
//                        + sum_{c,r,s} src[n,c, y+r-pad_top, x+s-pad_left] * weights[k,c,r,s], low, high)
//
// computed tile by tile as  A^T [ (G g G^T) . (B^T d B) ] A  (Lavin & Gray 2015, "Fast algorithms for convolutional
// neural networks", equation 8), the products over all channels at once as (m+2)^2 matrix products.
//
//   Layout    src, dst and residual are nChw16c: element (n, c, y, x) lies at
//             ((n * CB + c / 16) * H + y) * W * 16 + x * 16 + c % 16, with CB = ceil(C / 16).
//             The padding channels of src must be zero; those of dst are written as zero.
//   Aliasing  residual may be dst; src and dst must not overlap.
//   Memory    packed weights and scratch: 64-byte aligned, for speed only.
//   Numerics  points 0, +-5/8, +-3/2, infinity (m = 4): their powers are exact in fp32, and the rounding error is
//             about a third of that of the usual 0, +-1, +-2. Bound: winograd_tolerance() of the largest sum.
//             NaN or infinity in src makes outputs NaN in every tile that reads it, also where direct convolution
//             would not use the element.
//   Threads   the functions neither allocate nor lock nor start threads. A run has 1 or 2 phases; in each phase all
//             thread indices 0 .. threads-1 must be run, in any order or at once; a barrier must separate phases.
#ifndef TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_H
#define TENON_KERNELS_CPU_WINOGRAD_WINOGRAD_H

#include <stdint.h>

#include "../common/cpu_features.h"

namespace tenon::cpu {

struct WinogradShape {
    int64_t batch;
    int64_t in_channels;
    int64_t in_height;
    int64_t in_width;
    int64_t out_channels;
    int64_t pad_top;  // pads: >= 0
    int64_t pad_left;
    int64_t pad_bottom;
    int64_t pad_right;

    // Always inlined: a copy compiled for a wide instruction set must not serve callers on older processors.
    [[gnu::always_inline]] int64_t out_height() const { return in_height + pad_top + pad_bottom - 2; }
    [[gnu::always_inline]] int64_t out_width() const { return in_width + pad_left + pad_right - 2; }
};

enum class WinogradTile : int64_t { f2x2 = 2, f4x4 = 4 };

// NULL: the shape can be computed (sizes positive, outputs not empty, byte counts within int64); else why not.
const char* winograd_unsupported(const WinogradShape& shape);

// A model fitted to the bench: whether winograd with winograd_best_tile beats oneDNN's direct convolution with AVX-512,
// weights coming from memory.
bool winograd_is_profitable(const WinogradShape& shape, int64_t threads);
WinogradTile winograd_best_tile(const WinogradShape& shape, int64_t threads);

// Allowed |dst - exact| / max |exact| for in_channels products summed.
double winograd_tolerance(WinogradTile tile, int64_t in_channels);

// ---- Weights: once, at build. Layout: a matter of channels and tile, not of the ISA. ----

int64_t winograd_packed_bytes(const WinogradShape& shape, WinogradTile tile);
// Number of independent slices of the packed form (of up to 32 output channels each).
int64_t winograd_pack_slices(const WinogradShape& shape);
// weights: [out_channels, in_channels, 3, 3], dense. Writes slices first..last-1 of packed.
void winograd_pack(const WinogradShape& shape, WinogradTile tile, const float* weights, float* packed, int64_t first,
                   int64_t last);

// ---- Run ----

struct WinogradArgs;

struct WinogradPlan {
    Isa isa;
    void (*run)(const WinogradPlan& plan, const WinogradArgs& args, int64_t phase, int64_t thread);
    WinogradShape shape;
    WinogradTile tile;
    int64_t threads;
    int64_t phases;         // 1, or 2 when all threads share the transformed input and split the output channels
    int64_t scratch_bytes;  // for all threads together; alignment 64
    // Blocking, all derived.
    int64_t tiles_y, tiles_x;  // per image
    int64_t block_tiles;       // tiles transformed together
    int64_t input_floats;      // transformed input: per thread (1 phase) or shared (2 phases)
    int64_t product_floats;    // products before the output transform, per thread
};

struct WinogradArgs {
    const float* src;
    const float* packed;    // from winograd_pack
    const float* bias;      // [out_channels], or NULL: 0
    const float* residual;  // as dst, or NULL: none
    float* dst;
    float* scratch;
    float low;   // -infinity: no lower bound; 0: ReLU
    float high;  // +infinity: no upper bound. NaN stays NaN.
};

// shape must be supported, threads >= 1. Uses the best instruction set of this processor not above max_isa.
WinogradPlan winograd_plan(const WinogradShape& shape, WinogradTile tile, int64_t threads, Isa max_isa);

// One thread's part of one phase.
inline void winograd_run(const WinogradPlan& plan, const WinogradArgs& args, int64_t phase, int64_t thread) {
    plan.run(plan, args, phase, thread);
}

}  // namespace tenon::cpu
#endif
