#include "attention/attention_plain.cuh"

using namespace tenon::cuda;

// Head sizes between these are computed as the next one, with zeros.
#define TENON_ATTENTION_PLAIN(head)                                                                            \
    TENON_KERNEL(tenon_attention_plain##head##_f32, AttentionParams, (kAttentionPlainTile<head>.threads), 2) { \
        TENON_DYNAMIC_SHARED(shared);                                                                          \
        attention_plain<head>(p, shared);                                                                      \
    }

TENON_ATTENTION_PLAIN(64)
TENON_ATTENTION_PLAIN(128)
TENON_ATTENTION_PLAIN(256)
