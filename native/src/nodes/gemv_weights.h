// Weights in the panels that cpu::GemvKernels reads.
#pragma once

#include "../lowering.h"

namespace tenon {

// Buffer with constant `weights`, seen as [k, n] with these strides, packed once per engine.
int gemv_weights(Lowering& l, int weights, int64_t k, int64_t n, const Dims& strides);

}  // namespace tenon
