#include "rotary/rotary.cuh"

using namespace tenon::cuda;

// vector: 16-byte accesses. any: any alignment.
#define TENON_ROTARY(name, T)                                                   \
    TENON_KERNEL(tenon_rotary_vector_##name, RotaryParams, kRotaryThreads, 3) { \
        rotary<T, kVector<T>>(p);                                               \
    }                                                                           \
    TENON_KERNEL(tenon_rotary_any_##name, RotaryParams, kRotaryThreads, 3) {    \
        rotary<T, 1>(p);                                                        \
    }

TENON_ROTARY(f32, float)
TENON_ROTARY(f16, f16)
TENON_ROTARY(bf16, bf16)
