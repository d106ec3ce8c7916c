#include "activation/activation.cuh"

using namespace tenon::cuda;

// vector: 16-byte accesses. any: any alignment.
#define TENON_ACTIVATION(name, T)                                                                \
    TENON_KERNEL(tenon_activation_vector_##name, ActivationParams, kActivationWarps* kWarp, 3) { \
        activation<T, kVector<T>>(p);                                                            \
    }                                                                                            \
    TENON_KERNEL(tenon_activation_any_##name, ActivationParams, kActivationWarps* kWarp, 3) {    \
        activation<T, 1>(p);                                                                     \
    }

TENON_ACTIVATION(f32, float)
TENON_ACTIVATION(f16, f16)
TENON_ACTIVATION(bf16, bf16)
