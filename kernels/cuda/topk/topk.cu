#include "topk/topk.cuh"

using namespace tenon::cuda;

// part: 8192 elements of a row to a block. merge: 8192 candidates. warp: a short row to a warp. sort, rank: large k.
#define TENON_TOPK(name, T)                                              \
    TENON_KERNEL(tenon_topk_part_##name, TopkParams, kTopkThreads, 2) {  \
        TENON_SHARED(TopkShared, shared, );                              \
        topk_part<T>(p, shared);                                         \
    }                                                                    \
    TENON_KERNEL(tenon_topk_merge_##name, TopkParams, kTopkThreads, 1) { \
        TENON_SHARED(TopkShared, shared, );                              \
        topk_merge<T>(p, shared);                                        \
    }                                                                    \
    TENON_KERNEL(tenon_topk_warp_##name, TopkParams, kTopkThreads, 4) {  \
        topk_warp<T>(p);                                                 \
    }                                                                    \
    TENON_KERNEL(tenon_topk_sort_##name, TopkParams, kTopkThreads, 4) {  \
        TENON_SHARED(uint64_t, items, [kTopkSort]);                      \
        topk_sort<T>(p, items);                                          \
    }                                                                    \
    TENON_KERNEL(tenon_topk_rank_##name, TopkParams, kTopkThreads, 4) {  \
        topk_rank<T>(p);                                                 \
    }

TENON_TOPK(f32, float)
TENON_TOPK(f16, f16)
TENON_TOPK(bf16, bf16)
