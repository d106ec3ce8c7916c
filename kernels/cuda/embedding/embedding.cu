#include "embedding/embedding.cuh"

using namespace tenon::cuda;

// As in norm.cu.
#define TENON_EMBEDDING(name, T)                                                      \
    TENON_KERNEL(tenon_embedding_warp_##name, EmbeddingParams, kNormThreads, 3) {     \
        embedding<T, kVector<T>, Row::warp>(p, nullptr);                              \
    }                                                                                 \
    TENON_KERNEL(tenon_embedding_block_##name, EmbeddingParams, kNormMaxThreads, 1) { \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);                       \
        embedding<T, kVector<T>, Row::block>(p, shared);                              \
    }                                                                                 \
    TENON_KERNEL(tenon_embedding_any_##name, EmbeddingParams, kNormMaxThreads, 1) {   \
        TENON_SHARED(float, shared, [kNormMaxThreads / kWarp]);                       \
        embedding<T, 1, Row::block>(p, shared);                                       \
    }

TENON_EMBEDDING(f32, float)
TENON_EMBEDDING(f16, f16)
TENON_EMBEDDING(bf16, bf16)
