// What the launchers hand to the kernels.
#pragma once
#include "common/strided.h"

namespace tenon::cuda {

// Threads of a block and units that each moves.
constexpr int kCopyThreads = 256;
constexpr int kCopyItems = 4;

// Offsets, sizes and strides count units.
struct CopyParams {
    const void* x;
    void* y;
    int64_t n;
    int64_t first;             // slices: where x's element for y[0, 0, ...] lies
    int64_t starts[kMaxRank];  // padding: the source of coordinate 0
    int64_t sizes[kMaxRank];   // padding: x's dimensions
    Walk walk;                 // y's axes with x's strides
    int32_t mode;
    uint64_t value;  // repeated to fill 8 bytes
};

// Parts that one launch copies.
constexpr int kConcatParts = 20;

struct ConcatPart {
    void* part;
    int64_t n;             // units in the part
    int64_t whole_offset;  // bytes from the start of a row of whole
    Divisor row;           // units in a row of the part; not set when there are 2^31 units or more
    uint32_t first_block;  // 2^32 - 1 in places that hold no part
    uint32_t unit_bytes;
};

struct ConcatParams {
    void* whole;
    int64_t whole_row_bytes;
    int64_t outer;
    int64_t split;
    ConcatPart parts[kConcatParts];
};

}  // namespace tenon::cuda
