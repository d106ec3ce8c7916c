// Sums of exponentials without overflow, in one pass.
#pragma once
#include "common/math.cuh"
#include "common/reduce.cuh"

namespace tenon::cuda {

// How exponentials are taken: values are multiplied by `unit` first, then exp(v) is of(v * unit). fp32 data: to the
// last bits. 16-bit data: powers of two by the special function unit, with an error of about |v| ulp.
template <class T>
struct Exponential {
    static constexpr float unit = kLog2E;
    static TENON_DEVICE float of(float t) { return exp2_fast(t); }
};
template <>
struct Exponential<float> {
    static constexpr float unit = 1.0f;
    static TENON_DEVICE float of(float t) { return expf(t); }
};

// Of the values t seen so far: the largest, how many equal it, and the sum of exp(t - largest) over the others. So
// log(sum) stays exact when one value outweighs the others by far. Infinite and NaN values need no care on the way: who
// uses the result looks at `largest` (a row of -inf only has -inf there, one with a NaN has NaN).
template <class E>
struct SoftmaxSum {
    float largest, rest, count;

    static TENON_DEVICE SoftmaxSum none() { return {float_of(0xff800000u), 0.0f, 0.0f}; }

    TENON_DEVICE void raise(float to) {
        if (!(largest == to)) {
            rest = (rest + count) * E::of(largest - to);
            count = 0.0f;
            largest = to;
        }
    }
    // t is no more than largest.
    TENON_DEVICE void add_below(float t) {
        bool equal = t == largest;
        float e = E::of(t - largest);
        rest += equal ? 0.0f : e;
        count += equal ? 1.0f : 0.0f;
    }
    TENON_DEVICE void merge(SoftmaxSum other) {
        float to = Max::combine(largest, other.largest);
        raise(to);
        other.raise(to);
        rest += other.rest;
        count += other.count;
    }

    TENON_DEVICE float sum() const { return rest + count; }
    // log(sum of exp(t - largest)), in natural units.
    TENON_DEVICE float log_sum() const { return log1pf(rest + (count - 1.0f)); }
};

template <class E, int width = kWarp>
TENON_DEVICE SoftmaxSum<E> warp_reduce(SoftmaxSum<E> s) {
    s.raise(warp_reduce<Max, width>(s.largest));
    s.rest = warp_reduce<Sum, width>(s.rest);
    s.count = warp_reduce<Sum, width>(s.count);
    return s;
}

template <class E, int threads>
TENON_DEVICE SoftmaxSum<E> block_reduce(SoftmaxSum<E> s, float* shared) {
    s.raise(block_reduce<Max, threads>(s.largest, shared));
    s.rest = block_reduce<Sum, threads>(s.rest, shared);
    s.count = block_reduce<Sum, threads>(s.count, shared);
    return s;
}

}  // namespace tenon::cuda
