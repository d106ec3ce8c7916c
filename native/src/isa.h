#pragma once

#include "common/cpu_features.h"

namespace tenon {

// The instruction set kernels are chosen for. The first call fixes it for the process, for oneDNN too.
cpu::Isa fix_isa();

}  // namespace tenon
