#include "transpose/transpose.cuh"

using namespace tenon::cuda;

// gather: by bytes of a unit. tile: by bytes of an element, 16-byte accesses; tile_any: any alignment.
#define TENON_GATHER(bytes)                                                         \
    TENON_KERNEL(tenon_transpose_gather_##bytes, GatherParams, kGatherThreads, 4) { \
        gather<bytes>(p);                                                           \
    }
#define TENON_TILE(bytes, blocks, any_blocks)                                                           \
    TENON_KERNEL(tenon_transpose_tile_##bytes, TileParams, TileShape<bytes>::threads, blocks) {         \
        TENON_SHARED(unsigned char, shared, [TileShape<bytes>::threads * 64]);                          \
        transpose_tile<Unit<bytes>>(p, shared);                                                         \
    }                                                                                                   \
    TENON_KERNEL(tenon_transpose_tile_any_##bytes, TileParams, TileShape<bytes>::threads, any_blocks) { \
        TENON_SHARED(unsigned char, shared, [TileShape<bytes>::rows * kPaddedRow<Unit<bytes>>]);        \
        transpose_tile_any<Unit<bytes>>(p, shared);                                                     \
    }

TENON_GATHER(1)
TENON_GATHER(2)
TENON_GATHER(4)
TENON_GATHER(8)
TENON_GATHER(16)
TENON_TILE(1, 5, 4)
TENON_TILE(2, 10, 8)
TENON_TILE(4, 10, 8)
TENON_TILE(8, 10, 8)
