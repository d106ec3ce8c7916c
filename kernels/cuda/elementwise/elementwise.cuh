// What generated kernels of elementwise chains are made of: element types as values, the loop, index arithmetic and, in
// functions.cuh, the functions. The generator is dev.tenon.cuda.internal.elementwise.ElementwiseKernel (java-api/cuda);
// the .cu files in this folder are examples of what it writes.
//
//   y[i] = f(x0[i], x1[i], ...)   with every input broadcast to y's shape; inputs and y are dense and row-major.
//
// Traffic: every input and y once. Inputs that broadcast are read again and again, but from the caches.
// A chain computes fp32, fp16, bf16 and fp8 elements in fp32 and rounds every step's result to the step's type.
#pragma once
#include "common/vector.cuh"
#include "elementwise/functions.cuh"

namespace tenon::cuda {

// Division of numbers below 2^(bits of Index - 1) by one that the launcher knows, which also prepares the multiplier:
// q = (high half of n * multiplier + n) >> shift (Granlund and Montgomery 1994, "Division by invariant integers using
// multiplication", figure 4.1).
template <class Index>
struct Divisor {
    Index divisor;
    Index multiplier;
    Index shift;

    TENON_DEVICE Index quotient(Index n) const {
#if defined(TENON_ON_GPU)
        if constexpr (sizeof(Index) == 4) return (__umulhi(n, multiplier) + n) >> shift;
        if constexpr (sizeof(Index) == 8) return (__umul64hi(n, multiplier) + n) >> shift;
#else
        using Double = unsigned __int128;
        return (static_cast<Index>(Double{n} * multiplier >> (8 * sizeof(Index))) + n) >> shift;
#endif
    }
};

// n elements in 32-bit registers while others are on their way: see Words in common/vector.cuh, which this extends to
// all element sizes.
template <class T, int n>
struct Packed {
    static constexpr int bytes = n * static_cast<int>(sizeof(T));
    uint32_t w[bytes < 4 ? 1 : bytes / 4];
};

template <int n, class T>
TENON_DEVICE Packed<T, n> load_packed(const T* address) {
    Packed<T, n> r;
    if constexpr (r.bytes == 1) {
        r.w[0] = *reinterpret_cast<const uint8_t*>(address);
    } else if constexpr (r.bytes == 2) {
        r.w[0] = *reinterpret_cast<const uint16_t*>(address);
    } else {
        constexpr int words = r.bytes / 4, chunk = words < 4 ? words : 4;
        TENON_UNROLL
        for (int i = 0; i < words; i += chunk) {
            const auto part = load<chunk>(reinterpret_cast<const uint32_t*>(address) + i);
            TENON_UNROLL
            for (int k = 0; k < chunk; k++) r.w[i + k] = part.v[k];
        }
    }
    return r;
}

// The value of element k: of elements read together, gathered one by one, or of one for the whole group.
template <class T, int n>
TENON_DEVICE auto at(const Packed<T, n>& x, int k) {
    if constexpr (sizeof(T) == 8) {
        return fn::value_of_bits<T>(x.w[2 * k] | static_cast<uint64_t>(x.w[2 * k + 1]) << 32);
    } else if constexpr (kSame<T, bf16>) {
        return float_of(k % 2 == 0 ? x.w[k / 2] << 16 : x.w[k / 2] & 0xffff0000u);
    } else {
        constexpr int per_word = 4 / static_cast<int>(sizeof(T));
        return fn::value_of_bits<T>(x.w[k / per_word] >> k % per_word * (32 / per_word));
    }
}
template <class T, int n>
TENON_DEVICE auto at(const Vec<T, n>& x, int k) {
    return fn::to_value(x.v[k]);
}
template <class T>
TENON_DEVICE auto at(const T& x, int) {
    return fn::to_value(x);
}

template <class T, int n, class V>
TENON_DEVICE void store_values(T* address, const V (&values)[n]) {
    if constexpr (kSame<T, f16> || kSame<T, bf16>) {
        store_words(address, words_from_floats<T>(values));
    } else {
        Vec<T, n> r;
        TENON_UNROLL
        for (int k = 0; k < n; k++) r.v[k] = fn::from_value<T>(values[k]);
        store(address, r);
    }
}

// One thread's part. Groups of Chain::width elements are read and written as vectors, Chain::unroll of them in flight;
// elements beyond p.vectors groups (all of them, if an address is not aligned) go one by one.
template <class Chain, class Params>
TENON_DEVICE void run_chain(const Params& p) {
    constexpr int threads = Chain::threads, width = Chain::width, unroll = Chain::unroll;
    const int64_t first = static_cast<int64_t>(blockIdx.x) * (threads * unroll) + threadIdx.x;
    typename Chain::template Inputs<width> in[unroll];
    TENON_UNROLL
    for (int u = 0; u < unroll; u++) {
        const int64_t group = first + u * threads;
        if (group < p.vectors) in[u] = Chain::template read<width>(p, group * width);
    }
    TENON_UNROLL
    for (int u = 0; u < unroll; u++) {
        const int64_t group = first + u * threads;
        if (group < p.vectors) Chain::template write<width>(p, group * width, in[u]);
    }
    const int64_t step = static_cast<int64_t>(gridDim.x) * threads;
    int64_t i = p.vectors * width + static_cast<int64_t>(blockIdx.x) * threads + threadIdx.x;
    TENON_NO_UNROLL
    for (; i < p.elements; i += step) Chain::template write<1>(p, i, Chain::template read<1>(p, i));
}

}  // namespace tenon::cuda
