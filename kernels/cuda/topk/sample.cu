#include "topk/sample.cuh"

using namespace tenon::cuda;

// race: the winner of a part of a row, all elements running. pick: of the parts. draw: the winner of the candidates
// that a selection left.
#define TENON_SAMPLE(name, T)                                               \
    TENON_KERNEL(tenon_sample_race_##name, SampleParams, kTopkThreads, 4) { \
        TENON_SHARED(uint64_t, shared, [kTopkThreads / kWarp]);             \
        sample_race<T>(p, shared);                                          \
    }                                                                       \
    TENON_KERNEL(tenon_sample_draw_##name, SampleParams, kTopkThreads, 1) { \
        TENON_SHARED(SampleShared, shared, );                               \
        sample_draw<T>(p, shared);                                          \
    }

TENON_SAMPLE(f32, float)
TENON_SAMPLE(f16, f16)
TENON_SAMPLE(bf16, bf16)
TENON_KERNEL(tenon_sample_pick, SampleParams, kTopkThreads, 4) {
    sample_pick(p);
}
