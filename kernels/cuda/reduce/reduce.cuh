#pragma once
#include "common/plan.h"
#include "common/row.cuh"
#include "common/softmax_sum.cuh"
#include "common/strided.cuh"
#include "reduce/reduce.h"
#include "reduce/reduce_params.h"

namespace tenon::cuda {

// A fold has a State; none(); batch(): the state of `count` values, whose positions are index(i); merge(); finish():
// the result, from a state of all values. What lies outside a row is `outside`.

template <int n>
struct Constant {
    static constexpr int value = n;
};

// Merges make(first) to make(first + count - 1) pairwise: short chains of additions, small errors.
template <class Fold, int count, class Make>
TENON_DEVICE typename Fold::State merge_all(const Make& make, int first = 0) {
    if constexpr (count == 1) {
        return make(first);
    } else {
        typename Fold::State low = merge_all<Fold, count / 2>(make, first);
        return Fold::merge(low, merge_all<Fold, count - count / 2>(make, first + count / 2));
    }
}

template <class T>
struct FoldSum {
    using Value = float;
    using State = float;
    static constexpr bool positions = false;
    static TENON_DEVICE float outside(const ReduceParams&) { return 0.0f; }
    static TENON_DEVICE State none() { return 0.0f; }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams& p, const float (&v)[count], Index) {
        return merge_all<FoldSum, count>([&](int i) {
            float a = float_of(bits_of(v[i]) & ~p.clear);
            return p.square ? a * a : a;
        });
    }
    static TENON_DEVICE State merge(State a, State b) { return a + b; }
    static TENON_DEVICE float finish(const ReduceParams& p, State s) {
        switch (p.kind) {
            case TENON_CUDA_REDUCE_MEAN:
                return s / static_cast<float>(p.axis);
            case TENON_CUDA_REDUCE_L2:
                return sqrtf(s);
            case TENON_CUDA_REDUCE_LOG_SUM:
                return logf(s);
            default:
                return s;
        }
    }
};

template <class T>
struct FoldMax {
    using Value = float;
    using State = float;
    static constexpr bool positions = false;
    static TENON_DEVICE float outside(const ReduceParams& p) { return float_of(0xff800000u ^ p.flip); }
    static TENON_DEVICE State none() { return Max::identity(); }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams& p, const float (&v)[count], Index) {
        return merge_all<FoldMax, count>([&](int i) { return float_of(bits_of(v[i]) ^ p.flip); });
    }
    static TENON_DEVICE State merge(State a, State b) { return Max::combine(a, b); }
    static TENON_DEVICE float finish(const ReduceParams& p, State s) { return float_of(bits_of(s) ^ p.flip); }
};

template <class T>
struct FoldProduct {
    using Value = float;
    using State = float;
    static constexpr bool positions = false;
    static TENON_DEVICE float outside(const ReduceParams&) { return 1.0f; }
    static TENON_DEVICE State none() { return 1.0f; }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams&, const float (&v)[count], Index) {
        return merge_all<FoldProduct, count>([&](int i) { return v[i]; });
    }
    static TENON_DEVICE State merge(State a, State b) { return a * b; }
    static TENON_DEVICE float finish(const ReduceParams&, State s) { return s; }
};

template <class T>
struct FoldLogSumExp {
    using Value = float;
    using E = Exponential<T>;
    using State = SoftmaxSum<E>;
    static constexpr bool positions = false;
    static TENON_DEVICE float outside(const ReduceParams&) { return float_of(0xff800000u); }
    static TENON_DEVICE State none() { return State::none(); }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams&, const float (&v)[count], Index) {
        State s = none();
        TENON_UNROLL
        for (int i = 0; i < count; i++) s.largest = Max::combine(s.largest, v[i] * E::unit);
        TENON_UNROLL
        for (int i = 0; i < count; i++) s.add_below(v[i] * E::unit);
        return s;
    }
    static TENON_DEVICE State merge(State a, State b) {
        a.merge(b);
        return a;
    }
    static TENON_DEVICE float finish(const ReduceParams&, State s) {
        if (fabsf(s.largest) == float_of(0x7f800000u)) return s.largest;
        return s.largest / E::unit + s.log_sum();
    }
};

// The state of a position: a number that grows with the value above one that grows (select_last) or shrinks with the
// position; 0: none. NaN is above all, and the zeros are equal.
template <class T>
struct FoldPosition {
    using Value = float;
    using State = uint64_t;
    static constexpr bool positions = true;
    static TENON_DEVICE float outside(const ReduceParams&) { return 0.0f; }
    static TENON_DEVICE State none() { return 0; }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams& p, const float (&v)[count], Index index) {
        return merge_all<FoldPosition, count>([&](int i) {
            float a = float_of(bits_of(v[i]) ^ p.flip) + 0.0f;
            uint32_t u = bits_of(a);
            u ^= static_cast<uint32_t>(static_cast<int32_t>(u) >> 31) | 0x80000000u;
            int position = index(i);
            if (a != a) u = 0xffffffffu;
            if (position < 0) u = 0;
            return static_cast<uint64_t>(u) << 32 | (static_cast<uint32_t>(position) ^ p.index_flip);
        });
    }
    static TENON_DEVICE State merge(State a, State b) { return a > b ? a : b; }
    static TENON_DEVICE int64_t finish(const ReduceParams& p, State s) {
        return static_cast<uint32_t>(s) ^ p.index_flip;
    }
};

// Integers, in 64 bits.
template <class T>
struct FoldIntegerSum {
    using Value = int64_t;
    using State = int64_t;
    static constexpr bool positions = false;
    static TENON_DEVICE State none() { return 0; }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams& p, const int64_t (&v)[count], Index) {
        return merge_all<FoldIntegerSum, count>([&](int i) {
            uint64_t a = static_cast<uint64_t>(v[i]);
            if (p.clear && v[i] < 0) a = 0 - a;
            return static_cast<int64_t>(p.square ? a * a : a);
        });
    }
    static TENON_DEVICE State merge(State a, State b) {
        return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    }
    static TENON_DEVICE int64_t finish(const ReduceParams&, State s) { return s; }
};

// Minima are maxima of ~x.
template <class T>
struct FoldIntegerMax {
    using Value = int64_t;
    using State = int64_t;
    static constexpr bool positions = false;
    static TENON_DEVICE State none() { return -1 - static_cast<int64_t>((uint64_t{1} << (8 * sizeof(T) - 1)) - 1); }
    template <int count, class Index>
    static TENON_DEVICE State batch(const ReduceParams& p, const int64_t (&v)[count], Index) {
        return merge_all<FoldIntegerMax, count>([&](int i) { return p.flip ? ~v[i] : v[i]; });
    }
    static TENON_DEVICE State merge(State a, State b) { return a > b ? a : b; }
    static TENON_DEVICE int64_t finish(const ReduceParams& p, State s) { return p.flip ? ~s : s; }
};

// The state of the lane `offset` away.
template <class State>
TENON_DEVICE State shuffle_state(State s, int offset) {
    constexpr int words = sizeof(State) / 4;
    struct Bits {
        uint32_t w[words];
    } bits;
    memcpy(&bits, &s, sizeof s);
    TENON_UNROLL
    for (int i = 0; i < words; i++) bits.w[i] = __shfl_xor_sync(kAllLanes, bits.w[i], offset);
    memcpy(&s, &bits, sizeof s);
    return s;
}

TENON_DEVICE void store_result(const ReduceParams& p, int64_t at, float v) {
    if (p.y_type == TENON_CUDA_F32) {
        static_cast<float*>(p.y)[at] = v;
    } else if (p.y_type == TENON_CUDA_F16) {
        static_cast<f16*>(p.y)[at] = from_float<f16>(v);
    } else {
        static_cast<bf16*>(p.y)[at] = from_float<bf16>(v);
    }
}
TENON_DEVICE void store_result(const ReduceParams& p, int64_t at, int64_t v) {
    if (p.y_type == TENON_CUDA_I64) {
        static_cast<int64_t*>(p.y)[at] = v;
    } else {
        static_cast<int32_t*>(p.y)[at] = static_cast<int32_t>(v);
    }
}

// inner = 1: a row, or a split of one, to p.width lanes, or to the block when p.width is 256.
template <class Fold, class T>
TENON_DEVICE void reduce_rows(const ReduceParams& p, typename Fold::State* shared) {
    using State = typename Fold::State;
    constexpr int N = kVector<T>, items = kReduceItems;
    const int thread = static_cast<int>(threadIdx.x), lane = thread % p.width;
    const int64_t item = int64_t{blockIdx.x} * (kReduceThreads / p.width) + thread / p.width;
    const bool there = item < p.outer * p.splits;
    const int64_t row_index = !there ? 0 : p.splits == 1 ? item : item / p.splits;
    const Row<T, N> row(static_cast<const T*>(p.x) + row_index * p.axis, p.axis);
    int end = row.accesses();
    const int begin = static_cast<int>(item - row_index * p.splits) * p.per_split;
    if (end - begin > p.per_split) end = begin + p.per_split;
    if (!there) end = begin;

    State s = Fold::none();
    for (int a = begin + lane; a < end; a += items * p.width) {
        Words<T, N> raw[items];
        row.load(a, p.width, end, Fold::outside(p), raw);
        float v[items * N];
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            float some[N];
            to_floats(raw[i], some);
            TENON_UNROLL
            for (int k = 0; k < N; k++) v[i * N + k] = some[k];
        }
        s = Fold::merge(s, Fold::batch(p, v, [&](int i) {
                            int access = a + i / N * p.width, element = row.first(access) + i % N;
                            return access < end && row.holds(element) ? element : -1;
                        }));
    }
    for (int offset = (p.width < kWarp ? p.width : kWarp) / 2; offset > 0; offset /= 2) {
        s = Fold::merge(s, shuffle_state(s, offset));
    }
    if (p.width > kWarp) {
        if (lane_id() == 0) shared[warp_id()] = s;
        __syncthreads();
        if (thread == 0) {
            for (int i = 1; i < kReduceThreads / kWarp; i++) s = Fold::merge(s, shared[i]);
        }
    }
    if (lane != 0 || !there) return;
    if (p.splits > 1) {
        static_cast<State*>(p.partial)[item] = s;
    } else {
        store_result(p, row_index, Fold::finish(p, s));
    }
}

// p.width lanes side by side along inner, N elements each; the block's other threads share the axis.
template <class Fold, class T, int N>
TENON_DEVICE void reduce_columns(const ReduceParams& p, typename Fold::State (*shared)[N]) {
    using State = typename Fold::State;
    using Value = typename Fold::Value;
    const int thread = static_cast<int>(threadIdx.x), lane = thread % p.width, part = thread / p.width;
    const int parts = kReduceThreads / p.width;
    // A block may have little to do: no divisions of 64 bits.
    const uint32_t rest = divide(blockIdx.x, p.tiles), tile = blockIdx.x - rest * p.tiles.divisor;
    const int64_t column = int64_t{tile} * (p.width * N) + lane * N;
    const uint32_t outer = p.splits == 1 ? rest : rest / static_cast<uint32_t>(p.splits);
    const int split = static_cast<int>(rest - outer * static_cast<uint32_t>(p.splits));
    const T* x = static_cast<const T*>(p.x) + int64_t{outer} * p.axis * p.inner + column;
    const bool there = column < p.inner;
    int end = p.axis;
    const int begin = split * p.per_split;
    if (end - begin > p.per_split) end = begin + p.per_split;

    State s[N];
    TENON_UNROLL
    for (int k = 0; k < N; k++) s[k] = Fold::none();
    // The last few rows of the axis go one by one: their loads have no neighbours to wait for.
    auto add = [&](auto rows, int a) {
        constexpr int batch = decltype(rows)::value;
        Value v[N][batch];
        if constexpr (__is_same(Value, float)) {
            Words<T, N> raw[batch];
            TENON_UNROLL
            for (int i = 0; i < batch; i++) raw[i] = load_words<N>(x + int64_t{a + i * parts} * p.inner);
            TENON_UNROLL
            for (int i = 0; i < batch; i++) {
                float some[N];
                to_floats(raw[i], some);
                TENON_UNROLL
                for (int k = 0; k < N; k++) v[k][i] = some[k];
            }
        } else {
            TENON_UNROLL
            for (int i = 0; i < batch; i++) v[0][i] = x[int64_t{a + i * parts} * p.inner];
        }
        TENON_UNROLL
        for (int k = 0; k < N; k++) {
            s[k] = Fold::merge(s[k], Fold::batch(p, v[k], [&](int i) { return a + i * parts; }));
        }
    };
    if (there) {
        constexpr int batch = 8;
        int a = begin + part;
        for (; a + (batch - 1) * parts < end; a += batch * parts) add(Constant<batch>{}, a);
        for (; a < end; a += parts) add(Constant<1>{}, a);
    }
    TENON_UNROLL
    for (int k = 0; k < N; k++) shared[thread][k] = s[k];
    for (int half = parts / 2; half > 0; half /= 2) {
        __syncthreads();
        if (part < half) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                s[k] = Fold::merge(s[k], shared[thread + half * p.width][k]);
                shared[thread][k] = s[k];
            }
        }
    }
    if (part != 0 || !there) return;
    TENON_UNROLL
    for (int k = 0; k < N; k++) {
        if (p.splits > 1) {
            static_cast<State*>(p.partial)[rest * p.inner + column + k] = s[k];
        } else {
            store_result(p, int64_t{outer} * p.inner + column + k, Fold::finish(p, s[k]));
        }
    }
}

// The second launch: a warp to a result.
template <class Fold>
TENON_DEVICE void reduce_finish(const ReduceParams& p) {
    using State = typename Fold::State;
    const int64_t at = int64_t{blockIdx.x} * (kReduceThreads / kWarp) + warp_id();
    if (at >= p.outer * p.inner) return;
    const State* partial = static_cast<const State*>(p.partial) + at / p.inner * p.splits * p.inner + at % p.inner;
    State s = Fold::none();
    for (int i = lane_id(); i < p.splits; i += kWarp) s = Fold::merge(s, partial[i * p.inner]);
    TENON_UNROLL
    for (int offset = kWarp / 2; offset > 0; offset /= 2) s = Fold::merge(s, shuffle_state(s, offset));
    if (lane_id() == 0) store_result(p, at, Fold::finish(p, s));
}

}  // namespace tenon::cuda
