// Runs a launcher's plan under the SIMT shim.
#pragma once
#include <cstdint>

#include "common/plan.h"

namespace simt {

// Runs all launches in order; "device" addresses are host addresses. seed fixes the schedule. Errors (unknown kernel,
// wrong parameter size, too many threads, deadlock, divergence ...) end the program with a message.
void execute(const tenon_cuda_plan& plan, uint64_t seed);

// Calls visit(name) for every linked kernel whose name begins with prefix and that no plan has run yet.
void for_each_unused_kernel(const char* prefix, void (*visit)(const char* name));

}  // namespace simt
