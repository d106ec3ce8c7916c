#pragma once
#include "common/row.cuh"
#include "common/softmax_sum.cuh"
#include "common/strided.cuh"
#include "softmax/softmax_params.h"

namespace tenon::cuda {

// y = (v - subtract) * multiply - log; v is exp(t - largest) for softmax and t for its logarithm.
struct SoftmaxFinish {
    float subtract, multiply, log;

    SoftmaxFinish() = default;

    template <class E>
    TENON_DEVICE SoftmaxFinish(const SoftmaxSum<E>& s, bool logarithm) {
        subtract = logarithm ? s.largest : 0.0f;
        multiply = logarithm ? 1.0f / E::unit : 1.0f / s.sum();
        log = logarithm ? s.log_sum() : 0.0f;
        if (!(fabsf(s.largest) < float_of(0x7f800000u))) multiply = float_of(0x7fc00000u);
    }
    TENON_DEVICE float of(float v) const { return (v - subtract) * multiply - log; }
};

template <class Y, int N, class Row>
TENON_DEVICE void store_softmax(Y* y, const Row& row, int access, const float (&v)[N]) {
    Y* at = y + row.first(access);
    if (row.whole(access) && reinterpret_cast<uintptr_t>(at) % (N * sizeof(Y) < 16 ? N * sizeof(Y) : 16) == 0) {
        store_floats(at, v);
    } else {
        TENON_UNROLL
        for (int k = 0; k < N; k++) {
            if (row.holds(row.first(access) + k)) at[k] = from_float<Y>(v[k]);
        }
    }
}

template <class T, int N, class Row>
TENON_DEVICE void store_softmax(const SoftmaxParams& p, int64_t offset, const Row& row, int access,
                                const float (&v)[N]) {
    if (p.y_f32) {
        store_softmax(static_cast<float*>(p.y) + offset, row, access, v);
    } else {
        store_softmax(static_cast<T*>(p.y) + offset, row, access, v);
    }
}

// t of x. Finite bf16 numbers beyond 2^128 / log2(e), such as the lowest, which masks are made of, stay finite. The
// product is rounded: fused with what is subtracted from it, it would be off by as much from the largest, itself a t.
template <class T>
TENON_DEVICE float scaled(float x, float factor) {
    const float t = __fmul_rn(x, factor), infinity = float_of(0x7f800000u), largest = float_of(0x7f7fffffu);
    if (!kSame<T, bf16> || fabsf(t) < infinity || !(fabsf(x) < infinity)) return t;
    return x < 0.0f ? -largest : largest;
}

// `items` accesses from `access` on, `step` apart, as t; what is not in the row is -inf. Returns the largest t.
template <class E, int items, class T, int N>
TENON_DEVICE float read_softmax(const SoftmaxParams& p, const Row<T, N>& row, int access, int step, int end,
                                float (&t)[items][N]) {
    const float factor = p.scale * E::unit;
    Words<T, N> raw[items];
    row.load(access, step, end, float_of(0xff800000u), raw);
    float largest = float_of(0xff800000u);
    TENON_UNROLL
    for (int i = 0; i < items; i++) {
        to_floats(raw[i], t[i]);
        TENON_UNROLL
        for (int k = 0; k < N; k++) {
            t[i][k] = scaled<T>(t[i][k], factor);
            largest = Max::combine(largest, t[i][k]);
        }
    }
    return largest;
}

// A row held in the registers of `threads` threads: 8 or 32 lanes of a warp, or the block.
template <class T, int threads>
TENON_DEVICE void softmax_row(const SoftmaxParams& p, int64_t row_index, int thread, float* shared) {
    using E = Exponential<T>;
    constexpr int N = kVector<T>, items = kSoftmaxItems / N;
    // Lanes without a row still take part in the exchanges.
    bool there = row_index < p.outer;
    int64_t offset = there ? row_index * p.axis : 0;
    const Row<T, N> row(static_cast<const T*>(p.x) + offset, there ? static_cast<int>(p.axis) : 0);
    const int end = there ? row.accesses() : 0;

    float t[items][N];
    SoftmaxSum<E> s = SoftmaxSum<E>::none();
    s.largest = read_softmax<E>(p, row, thread, threads, end, t);
    if constexpr (threads <= kWarp) {
        s.largest = warp_reduce<Max, threads>(s.largest);
    } else {
        s.largest = block_reduce<Max, threads>(s.largest, shared);
    }
    TENON_UNROLL
    for (int i = 0; i < items; i++) {
        TENON_UNROLL
        for (int k = 0; k < N; k++) {
            bool equal = t[i][k] == s.largest;
            float e = E::of(t[i][k] - s.largest);
            s.rest += equal ? 0.0f : e;
            s.count += equal ? 1.0f : 0.0f;
            t[i][k] = p.log ? t[i][k] : e;
        }
    }
    if constexpr (threads <= kWarp) {
        s.rest = warp_reduce<Sum, threads>(s.rest);
        s.count = warp_reduce<Sum, threads>(s.count);
    } else {
        s.rest = block_reduce<Sum, threads>(s.rest, shared);
        s.count = block_reduce<Sum, threads>(s.count, shared);
    }
    const SoftmaxFinish finish(s, p.log);
    TENON_UNROLL
    for (int i = 0; i < items; i++) {
        int access = thread + i * threads;
        if (access >= end) continue;
        TENON_UNROLL
        for (int k = 0; k < N; k++) t[i][k] = finish.of(t[i][k]);
        store_softmax<T>(p, offset, row, access, t[i]);
    }
}

// The sum over accesses [begin, end) of a row, for the block.
template <class T>
TENON_DEVICE SoftmaxSum<Exponential<T>> softmax_sum(const SoftmaxParams& p, const Row<T, kVector<T>>& row, int begin,
                                                    int end, float* shared) {
    using E = Exponential<T>;
    constexpr int N = kVector<T>, items = kSoftmaxItems / N, threads = kSoftmaxLongThreads;
    SoftmaxSum<E> s = SoftmaxSum<E>::none();
    for (int a = begin + static_cast<int>(threadIdx.x); a < end; a += items * threads) {
        float t[items][N];
        s.raise(Max::combine(s.largest, read_softmax<E>(p, row, a, threads, end, t)));
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) s.add_below(t[i][k]);
        }
    }
    return block_reduce<E, threads>(s, shared);
}

// Writes accesses [begin, end) of a row, the last ones first: they are in the cache if the block has just read them.
template <class T>
TENON_DEVICE void softmax_write(const SoftmaxParams& p, const Row<T, kVector<T>>& row, int64_t offset, int64_t begin,
                                int64_t end, const SoftmaxSum<Exponential<T>>& s) {
    using E = Exponential<T>;
    constexpr int N = kVector<T>, items = kSoftmaxItems / N / 2, threads = kSoftmaxLongThreads;
    const SoftmaxFinish finish(s, p.log);
    int rounds = (end - begin + items * threads - 1) / (items * threads);
    for (int round = rounds - 1; round >= 0; round--) {
        int a = begin + round * items * threads + static_cast<int>(threadIdx.x);
        float t[items][N];
        read_softmax<E>(p, row, a, threads, end, t);
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            if (a + i * threads >= end) continue;
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                float v = p.log ? t[i][k] : E::of(t[i][k] - s.largest);
                t[i][k] = finish.of(v);
            }
            store_softmax<T>(p, offset, row, a + i * threads, t[i]);
        }
    }
}

// A long row by one block.
template <class T>
TENON_DEVICE void softmax_long(const SoftmaxParams& p, float* shared) {
    int64_t offset = int64_t{blockIdx.x} * p.axis;
    const Row<T, kVector<T>> row(static_cast<const T*>(p.x) + offset, static_cast<int>(p.axis));
    auto s = softmax_sum<T>(p, row, 0, row.accesses(), shared);
    softmax_write<T>(p, row, offset, 0, row.accesses(), s);
}

// A long row by p.splits blocks: their sums; then, in the next launch, their parts of y.
template <class T, bool write>
TENON_DEVICE void softmax_split(const SoftmaxParams& p, float* shared) {
    using State = SoftmaxSum<Exponential<T>>;
    int64_t row_index = blockIdx.x / p.splits, split = blockIdx.x % p.splits, offset = row_index * p.axis;
    const Row<T, kVector<T>> row(static_cast<const T*>(p.x) + offset, static_cast<int>(p.axis));
    int end = row.accesses();
    const int begin = static_cast<int>(split) * p.accesses_per_split;
    if (end - begin > p.accesses_per_split) end = begin + p.accesses_per_split;
    State* partial = static_cast<State*>(p.partial) + row_index * p.splits;
    if constexpr (!write) {
        State s = softmax_sum<T>(p, row, begin, end, shared);
        if (threadIdx.x == 0) partial[split] = s;
    } else {
        State s = State::none();
        for (int i = static_cast<int>(threadIdx.x); i < p.splits; i += kSoftmaxLongThreads) s.merge(partial[i]);
        s = block_reduce<Exponential<T>, kSoftmaxLongThreads>(s, shared);
        softmax_write<T>(p, row, offset, begin, end, s);
    }
}

// inner > 1: p.width lanes side by side along inner, N elements each; the block's other threads share the axis. The
// sums meet in shared memory.
template <class T, int N>
TENON_DEVICE void softmax_columns(const SoftmaxParams& p, SoftmaxSum<Exponential<T>> (*shared)[N]) {
    using E = Exponential<T>;
    const int thread = static_cast<int>(threadIdx.x), lane = thread % p.width, part = thread / p.width;
    const int parts = kSoftmaxThreads / p.width;
    // A block may have little to do: no divisions of 64 bits.
    const uint32_t outer = divide(blockIdx.x, p.tiles), tile = blockIdx.x - outer * p.tiles.divisor;
    const int64_t column = int64_t{tile} * (p.width * N) + lane * N;
    const int64_t offset = outer * p.axis * p.inner + column;
    const T* x = static_cast<const T*>(p.x) + offset;
    const bool there = column < p.inner;
    const float factor = p.scale * E::unit;

    SoftmaxSum<E> s[N];
    TENON_UNROLL
    for (int k = 0; k < N; k++) s[k] = SoftmaxSum<E>::none();
    if (there) {
        constexpr int batch = 4;
        for (int64_t a = part; a < p.axis; a += batch * parts) {
            Words<T, N> raw[batch];
            TENON_UNROLL
            for (int i = 0; i < batch; i++) {
                if (a + i * parts < p.axis) raw[i] = load_words<N>(x + (a + i * parts) * p.inner);
            }
            float t[batch][N];
            TENON_UNROLL
            for (int i = 0; i < batch; i++) {
                if (a + i * parts < p.axis) to_floats(raw[i], t[i]);
            }
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                float largest = s[k].largest;
                TENON_UNROLL
                for (int i = 0; i < batch; i++) {
                    t[i][k] = a + i * parts < p.axis ? scaled<T>(t[i][k], factor) : float_of(0xff800000u);
                    largest = Max::combine(largest, t[i][k]);
                }
                s[k].raise(largest);
                TENON_UNROLL
                for (int i = 0; i < batch; i++) s[k].add_below(t[i][k]);
            }
        }
    }
    TENON_UNROLL
    for (int k = 0; k < N; k++) shared[thread][k] = s[k];
    for (int half = parts / 2; half > 0; half /= 2) {
        __syncthreads();
        if (part < half) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                s[k].merge(shared[thread + half * p.width][k]);
                shared[thread][k] = s[k];
            }
        }
    }
    __syncthreads();
    if (!there) return;
    SoftmaxFinish finish[N];
    float largest[N];
    TENON_UNROLL
    for (int k = 0; k < N; k++) {
        finish[k] = SoftmaxFinish(shared[lane][k], p.log);
        largest[k] = shared[lane][k].largest;
    }
    for (int64_t a = part; a < p.axis; a += parts) {
        float t[N];
        to_floats(load_words<N>(x + a * p.inner), t);
        TENON_UNROLL
        for (int k = 0; k < N; k++) {
            t[k] = scaled<T>(t[k], factor);
            t[k] = finish[k].of(p.log ? t[k] : E::of(t[k] - largest[k]));
        }
        if (p.y_f32) {
            store_floats(static_cast<float*>(p.y) + offset + a * p.inner, t);
        } else {
            store_floats(static_cast<T*>(p.y) + offset + a * p.inner, t);
        }
    }
}

}  // namespace tenon::cuda
