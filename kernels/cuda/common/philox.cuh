// Philox4x32-10, a counter-based generator: the same key and counter give the same four numbers everywhere.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once
#include "common/vector.cuh"

namespace tenon::cuda {

TENON_DEVICE Vec<uint32_t, 4> philox(Vec<uint32_t, 4> counter, uint64_t key) {
    uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
    TENON_UNROLL
    for (int round = 0; round < 10; round++) {
        uint32_t high0 = __umulhi(0xD2511F53u, counter.v[0]), low0 = 0xD2511F53u * counter.v[0];
        uint32_t high1 = __umulhi(0xCD9E8D57u, counter.v[2]), low1 = 0xCD9E8D57u * counter.v[2];
        counter = {{high1 ^ counter.v[1] ^ k0, low1, high0 ^ counter.v[3] ^ k1, low0}};
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    return counter;
}

}  // namespace tenon::cuda
