// What the launchers hand to the kernels.
#pragma once
#include <stdint.h>

namespace tenon::cuda {

constexpr int kTopkThreads = 256;
// Elements, or candidates of the launch before, that a thread holds.
constexpr int kTopkItems = 32;
constexpr int kTopkChunk = kTopkThreads * kTopkItems;
// The largest k, and the candidates that a block can sort.
constexpr int kTopkMost = 1024;
constexpr int kTopkSort = 2 * kTopkMost;
// With a larger k runs of kTopkSort elements are sorted; the most of them in a row, as every element is looked for in
// all.
constexpr int kTopkMostRuns = 512;
// Rows of up to so many elements, with k up to 32, take a warp.
constexpr int kTopkWarpItems = 8;
// Candidates of a row without top_k.
constexpr int kSampleCandidates = 128;

struct TopkParams {
    const void* x;
    void* values;
    int64_t* indices;
    const uint64_t* from;  // candidates [rows, count]
    uint64_t* to;          // candidates [rows, chunks, slots], when these are not the results
    void* sums;            // SoftmaxSum [rows, chunks] of x * unit; may be null
    int64_t rows, x_stride;
    int32_t n, count;
    int32_t k, slots;  // the k first are among at most `slots` candidates of each chunk
    int32_t step;      // rank: the largest power of two up to slots
    int32_t chunks;
    int32_t last;   // whether to write results
    uint32_t flip;  // of keys: all bits for the smallest
    float unit;
};

struct SampleParams {
    const void* x;
    void* tokens;
    const int64_t* seeds;
    const int64_t* offsets;
    const uint64_t* from;  // candidates [rows, count], or the best of each chunk
    uint64_t* to;          // race: the best of each chunk [rows, chunks]
    const void* sums;      // SoftmaxSum [rows, chunks]; null with top_k
    int64_t rows, x_stride;
    int32_t n, count;
    int32_t k, slots;
    int32_t chunks;
    int32_t greedy;
    int32_t token_bytes;
    int32_t vectors;  // whether four neighbours of a row can be one access
    float inverse_temperature;
    float unit;     // inverse_temperature in the unit of the exponentials
    float top_p;    // 1: all
    float min_log;  // log(min_p); -inf: all
};

}  // namespace tenon::cuda
