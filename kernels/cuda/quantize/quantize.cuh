#pragma once
#include "common/packed.cuh"
#include "common/plan.h"
#include "common/reduce.cuh"
#include "common/store.cuh"
#include "common/strided.cuh"
#include "quantize/quantize_params.h"

namespace tenon::cuda {

// ---- Groups ---------------------------------------------------------------------------------------------------------

template <bool wide>
TENON_DEVICE int64_t group_of(const QuantizeParams& p, int64_t element) {
    if (p.axis == 1 && p.outer_stride == 0) return 0;
    int64_t outer, block, inner;
    if constexpr (wide) {
        int64_t row = element / p.inner;
        inner = element - row * p.inner;
        outer = row / p.axis;
        block = (row - outer * p.axis) / p.block;
    } else {
        uint32_t e = static_cast<uint32_t>(element), row = divide(e, p.inner_divisor);
        uint32_t o = divide(row, p.axis_divisor);
        inner = e - row * p.inner_divisor.divisor;
        outer = o;
        block = divide(row - o * p.axis_divisor.divisor, p.block_divisor);
    }
    return outer * p.outer_stride + block * p.axis_stride + inner * p.inner_stride;
}

TENON_DEVICE bool four_bits(const QuantizeParams& p) {
    return p.type == TENON_CUDA_I4 || p.type == TENON_CUDA_U4;
}

// The quantized types. decode: the number that a byte, or the low half of one, stands for, whatever lies above.
// encode: the byte, or half, for quotient v and this zero, in the lowest bits.
struct IntegerCodec {
    float low, high;
    int unused;
    bool is_signed;

    TENON_DEVICE explicit IntegerCodec(int32_t type) {
        const bool halves = type == TENON_CUDA_I4 || type == TENON_CUDA_U4;
        is_signed = type == TENON_CUDA_I4 || type == TENON_CUDA_I8;
        unused = halves ? 28 : 24;
        const float size = halves ? 16.0f : 256.0f;
        low = is_signed ? -0.5f * size : 0.0f;
        high = low + size - 1.0f;
    }
    TENON_DEVICE float decode(uint32_t byte) const {
        const uint32_t top = byte << unused;
        return static_cast<float>(is_signed ? static_cast<int32_t>(top) >> unused
                                            : static_cast<int32_t>(top >> unused));
    }
    TENON_DEVICE uint32_t encode(float v, float zero) const {
        // Limits are integers, so they may come before rounding; then adding 1.5 * 2^23 rounds to the last bit, and the
        // sum with an integer is exact.
        float limited = v != v ? 0.0f : fminf(fmaxf(v, low - zero), high - zero);
        return bits_of((limited + 12582912.0f) + zero);
    }
};

template <class T>
struct FloatCodec {
    TENON_DEVICE explicit FloatCodec(int32_t) {}
    TENON_DEVICE float decode(uint32_t byte) const { return to_float(T{static_cast<uint8_t>(byte)}); }
    TENON_DEVICE uint32_t encode(float v, float zero) const { return from_float<T>(v + zero).bits; }
};

// Calls body(codec): the type is decided once, not for every element.
template <class Body>
TENON_DEVICE void with_codec(const QuantizeParams& p, Body body) {
    if (p.type == TENON_CUDA_F8E4M3) {
        body(FloatCodec<f8e4m3>(p.type));
    } else if (p.type == TENON_CUDA_F8E5M2) {
        body(FloatCodec<f8e5m2>(p.type));
    } else {
        body(IntegerCodec(p.type));
    }
}

// Eight neighbours of the quantized type from element `at`, a multiple of eight, on: 8 bytes or 4.
TENON_DEVICE Vec<uint32_t, 2> load_eight(const void* from, bool halves, int64_t at) {
    const uint8_t* bytes = static_cast<const uint8_t*>(from);
    if (!halves) return load<2>(reinterpret_cast<const uint32_t*>(bytes + at));
    return {{*reinterpret_cast<const uint32_t*>(bytes + at / 2), 0}};
}

// One of them in the lowest bits; what lies above is not cleared.
TENON_DEVICE uint32_t one_of(const Vec<uint32_t, 2>& eight, bool halves, int k) {
    return halves ? eight.v[0] >> 4 * k : eight.v[k / 4] >> k % 4 * 8;
}

TENON_DEVICE uint32_t load_one(const void* from, bool halves, int64_t at) {
    const uint8_t* bytes = static_cast<const uint8_t*>(from);
    return halves ? bytes[at / 2] >> at % 2 * 4 : bytes[at];
}

// A group's scale and zero as they lie in memory: to decode them would wait for them.
struct Group {
    uint32_t scale, zero;
    int zero_shift;
};

template <class T>
TENON_DEVICE Group load_group(const QuantizeParams& p, int64_t group) {
    Group g{0, 0, 0};
    if (sizeof(T) == 4 || p.scale_is_float) {
        g.scale = static_cast<const uint32_t*>(p.scale)[group];
    } else {
        g.scale = static_cast<const uint16_t*>(p.scale)[group];
    }
    g.zero_shift = four_bits(p) ? static_cast<int>(group % 2 * 4) : 0;
    if (p.zero) g.zero = static_cast<const uint8_t*>(p.zero)[four_bits(p) ? group / 2 : group];
    return g;
}

template <class T>
TENON_DEVICE float scale_of(const QuantizeParams& p, const Group& group) {
    if constexpr (sizeof(T) == 2) {
        if (!p.scale_is_float) return to_float(T{static_cast<uint16_t>(group.scale)});
    }
    return float_of(group.scale);
}

// ---- Quotients and bytes -------------------------------------------------------------------------------------------

// Quotients by one divisor: a product with the reciprocal, corrected by the exact remainder, where neither that nor the
// reciprocal can leave the range of normal numbers.
class Quotient {
  public:
    TENON_DEVICE explicit Quotient(float divisor) {
        divisor_ = divisor;
        reciprocal_ = 1.0f / divisor;
        float size = fabsf(divisor);
        usual_ = size > 0x1p-60f && size < 0x1p60f;
    }
    template <int N>
    TENON_DEVICE void of(float (&x)[N]) const {
        if (usual_) {
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                float q = x[k] * reciprocal_;
                float corrected = fmaf(fmaf(-q, divisor_, x[k]), reciprocal_, q);
                x[k] = fabsf(q) == float_of(0x7f800000u) ? q : corrected;
            }
        } else {
            TENON_UNROLL
            for (int k = 0; k < N; k++) x[k] = x[k] / divisor_;
        }
    }

  private:
    float divisor_, reciprocal_;
    bool usual_;
};

TENON_DEVICE void store_bytes(void* to, bool halves, int64_t at, const uint32_t (&b)[8]) {
    uint32_t* words = reinterpret_cast<uint32_t*>(static_cast<uint8_t*>(to) + (halves ? at / 2 : at));
    if (halves) {
        uint32_t word = 0;
        TENON_UNROLL
        for (int k = 0; k < 8; k++) word |= (b[k] & 15u) << 4 * k;
        *words = word;
    } else {
        Vec<uint32_t, 2> both;
        TENON_UNROLL
        for (int i = 0; i < 2; i++) {
            both.v[i] = permute_bytes(permute_bytes(b[4 * i], b[4 * i + 1], 0x0040),
                                      permute_bytes(b[4 * i + 2], b[4 * i + 3], 0x0040), 0x5410);
        }
        store(words, both);
    }
}

// ---- The kernels' bodies --------------------------------------------------------------------------------------------

// Eight elements of the float side in registers.
template <class T>
struct Eight {
    static constexpr int part = 16 / sizeof(T);
    Words<T, part> words[8 / part];

    TENON_DEVICE void load(const T* from) {
        TENON_UNROLL
        for (int i = 0; i < 8 / part; i++) words[i] = load_words<part>(from + i * part);
    }
    TENON_DEVICE void get(float (&to)[8]) const {
        TENON_UNROLL
        for (int i = 0; i < 8 / part; i++) {
            float some[part];
            to_floats(words[i], some);
            TENON_UNROLL
            for (int k = 0; k < part; k++) to[i * part + k] = some[k];
        }
    }
    static TENON_DEVICE void store(T* to, const float (&from)[8]) {
        TENON_UNROLL
        for (int i = 0; i < 8 / part; i++) {
            float some[part];
            TENON_UNROLL
            for (int k = 0; k < part; k++) some[k] = from[i * part + k];
            store_words<part>(to + i * part, words_from_floats<T>(some));
        }
    }
};

// Eight neighbouring groups, the first a multiple of eight.
template <class T>
TENON_DEVICE void load_groups(const QuantizeParams& p, int64_t first, Group (&groups)[8]) {
    Vec<uint32_t, 2> zeros{};
    if (p.zero) zeros = load_eight(p.zero, four_bits(p), first);
    TENON_UNROLL
    for (int k = 0; k < 8; k++) groups[k] = {0, one_of(zeros, four_bits(p), k), 0};
    const unsigned char* scale = static_cast<const unsigned char*>(p.scale);
    if (sizeof(T) == 4 || p.scale_is_float) {
        Eight<float> eight;
        eight.load(reinterpret_cast<const float*>(scale) + first);
        TENON_UNROLL
        for (int k = 0; k < 8; k++) groups[k].scale = eight.words[k / 4].w[k % 4];
    } else if constexpr (sizeof(T) == 2) {
        Eight<T> eight;
        eight.load(reinterpret_cast<const T*>(scale) + first);
        TENON_UNROLL
        for (int k = 0; k < 8; k++) groups[k].scale = eight.words[0].w[k / 2] >> k % 2 * 16;
    }
}

// What a thread does with its vectors: load(item, element) all of them and, where a vector has one group, that; then,
// with all of it on its way, work(item, element, groups). Vectors of many groups go one by one.
template <class T, class Load, class Work>
TENON_DEVICE void for_vectors(const QuantizeParams& p, Load load, Work work) {
    constexpr int items = kQuantizeItems<sizeof(T)>, V = kQuantizeVector;
    const int64_t first = p.begin + (int64_t{blockIdx.x} * (items * kQuantizeThreads) + threadIdx.x) * V;
    if (p.groups_vary) {
        TENON_NO_UNROLL
        for (int item = 0; item < items; item++) {
            int64_t at = first + item * (kQuantizeThreads * V);
            if (at >= p.end) break;
            Group groups[V];
            load(0, at);
            load_groups<T>(p, group_of<false>(p, at), groups);
            work(0, at, groups);
        }
        return;
    }
    Group group[items][1];
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        int64_t at = first + item * (kQuantizeThreads * V);
        if (at >= p.end) break;
        load(item, at);
        group[item][0] = load_group<T>(p, group_of<false>(p, at));
    }
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        int64_t at = first + item * (kQuantizeThreads * V);
        if (at >= p.end) break;
        work(item, at, group[item]);
    }
}

template <class T>
TENON_DEVICE void quantize_vectors(const QuantizeParams& p) {
    with_codec(p, [&](const auto& codec) {
        Eight<T> x[kQuantizeItems<sizeof(T)>];
        for_vectors<T>(
            p, [&](int item, int64_t at) { x[item].load(static_cast<const T*>(p.x) + at); },
            [&](int item, int64_t at, const auto& groups) {
                float v[8];
                uint32_t bytes[8];
                x[item].get(v);
                if constexpr (sizeof(groups) == sizeof(Group)) {
                    Quotient(scale_of<T>(p, groups[0])).of(v);
                    const float zero = codec.decode(groups[0].zero >> groups[0].zero_shift);
                    TENON_UNROLL
                    for (int k = 0; k < 8; k++) bytes[k] = codec.encode(v[k], zero);
                } else {
                    TENON_UNROLL
                    for (int k = 0; k < 8; k++) {
                        bytes[k] = codec.encode(v[k] / scale_of<T>(p, groups[k]), codec.decode(groups[k].zero));
                    }
                }
                store_bytes(p.y, four_bits(p), at, bytes);
            });
    });
}

template <class T>
TENON_DEVICE void dequantize_vectors(const QuantizeParams& p) {
    with_codec(p, [&](const auto& codec) {
        Vec<uint32_t, 2> x[kQuantizeItems<sizeof(T)>];
        const bool halves = four_bits(p);
        for_vectors<T>(
            p, [&](int item, int64_t at) { x[item] = load_eight(p.x, halves, at); },
            [&](int item, int64_t at, const auto& groups) {
                constexpr int last = static_cast<int>(sizeof(groups) / sizeof(Group)) - 1;
                float y[8];
                TENON_UNROLL
                for (int k = 0; k < 8; k++) {
                    const Group& group = groups[k < last ? k : last];
                    y[k] = (codec.decode(one_of(x[item], halves, k)) - codec.decode(group.zero >> group.zero_shift)) *
                           scale_of<T>(p, group);
                }
                Eight<T>::store(static_cast<T*>(p.y) + at, y);
            });
    });
}

// Calls body(first element, elements of a byte) for this thread's bytes of the quantized side.
template <class T, class Body>
TENON_DEVICE void for_bytes(const QuantizeParams& p, Body body) {
    constexpr int items = kQuantizeItems<sizeof(T)>;
    const int of_byte = four_bits(p) ? 2 : 1;
    const int64_t first = p.begin + (int64_t{blockIdx.x} * (items * kQuantizeThreads) + threadIdx.x) * of_byte;
    for (int item = 0; item < items; item++) {
        int64_t at = first + item * kQuantizeThreads * of_byte;
        if (at < p.end) body(at, of_byte);
    }
}

template <class T>
TENON_DEVICE void quantize_any(const QuantizeParams& p) {
    with_codec(p, [&](const auto& codec) {
        for_bytes<T>(p, [&](int64_t at, int count) {
            uint32_t byte = 0;
            for (int k = 0; k < count && at + k < p.end; k++) {
                const Group group = load_group<T>(p, p.wide ? group_of<true>(p, at + k) : group_of<false>(p, at + k));
                const float v = to_float(static_cast<const T*>(p.x)[at + k]) / scale_of<T>(p, group);
                const uint32_t bits = codec.encode(v, codec.decode(group.zero >> group.zero_shift));
                byte |= count == 1 ? bits : (bits & 15u) << 4 * k;
            }
            static_cast<uint8_t*>(p.y)[at / count] = static_cast<uint8_t>(byte);
        });
    });
}

template <class T>
TENON_DEVICE void dequantize_any(const QuantizeParams& p) {
    with_codec(p, [&](const auto& codec) {
        for_bytes<T>(p, [&](int64_t at, int count) {
            for (int k = 0; k < count && at + k < p.end; k++) {
                const Group group = load_group<T>(p, p.wide ? group_of<true>(p, at + k) : group_of<false>(p, at + k));
                const float x = codec.decode(load_one(p.x, four_bits(p), at + k));
                static_cast<T*>(p.y)[at + k] =
                    from_float<T>((x - codec.decode(group.zero >> group.zero_shift)) * scale_of<T>(p, group));
            }
        });
    });
}

// ---- Scales from the data -------------------------------------------------------------------------------------------

// One row by a warp or the block, N elements to an access.
template <class T, int N, bool warp>
TENON_DEVICE void quantize_row(const QuantizeRowsParams& p, int64_t row, float* shared) {
    constexpr int items = kQuantizeRowItems, step = (warp ? kWarp : kQuantizeThreads) * N;
    const int first = (warp ? lane_id() : static_cast<int>(threadIdx.x)) * N;
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride;
    Words<T, N> kept[items];
    TENON_UNROLL
    for (int item = 0; item < items; item++) {
        if (first + item * step < p.columns) kept[item] = load_words<N>(x + first + item * step);
    }
    auto for_each = [&](auto body) {
        float v[N];
        TENON_UNROLL
        for (int item = 0; item < items; item++) {
            if (first + item * step >= p.columns) break;
            to_floats(kept[item], v);
            body(first + item * step, v);
        }
        if constexpr (!warp) {
            for (int64_t i = first + items * step; i < p.columns; i += step) {
                to_floats(load_words<N>(x + i), v);
                body(i, v);
            }
        }
    };
    float largest = 0.0f;
    for_each([&](int64_t, const float(&v)[N]) {
        TENON_UNROLL
        for (int k = 0; k < N; k++) largest = Max::combine(largest, fabsf(v[k]));
    });
    if constexpr (warp) {
        largest = warp_reduce<Max>(largest);
    } else {
        largest = block_reduce<Max, kQuantizeThreads>(largest, shared);
    }
    const float q = scale_of_row(largest, p.y_type);
    if (first == 0) p.row_scale[row] = q;
    const float inverse = 1.0f / q;
    for_each([&](int64_t i, const float(&v)[N]) { store_as<T>(p.y, p.y_type, row * p.y_stride + i, v, inverse); });
}

// The smallest and the largest of 0 and the values that fold(take) hands to take, by the whole block.
template <class Fold>
TENON_DEVICE void block_range(float* shared, float& low, float& high, Fold fold) {
    low = high = 0.0f;
    fold([&](float a, float b) {
        low = Min::combine(low, a);
        high = Max::combine(high, b);
    });
    low = block_reduce<Min, kQuantizeThreads>(low, shared);
    high = block_reduce<Max, kQuantizeThreads>(high, shared);
}

template <class T>
TENON_DEVICE void find_range(const RangeParams& p, float* shared) {
    constexpr int V = kVector<T>, items = 4;
    const T* x = static_cast<const T*>(p.x);
    const int64_t thread = int64_t{blockIdx.x} * kQuantizeThreads + threadIdx.x;
    const int64_t threads = int64_t{p.blocks} * kQuantizeThreads;
    float low, high;
    block_range(shared, low, high, [&](auto take) {
        const int64_t vectors = p.vectors ? p.n / V : 0;
        for (int64_t i = thread; i < vectors; i += items * threads) {
            Words<T, V> w[items];
            TENON_UNROLL
            for (int item = 0; item < items; item++) {
                if (i + item * threads < vectors) w[item] = load_words<V>(x + (i + item * threads) * V);
            }
            TENON_UNROLL
            for (int item = 0; item < items; item++) {
                if (i + item * threads >= vectors) break;
                float v[V];
                to_floats(w[item], v);
                TENON_UNROLL
                for (int k = 0; k < V; k++) take(v[k], v[k]);
            }
        }
        for (int64_t i = vectors * V + thread; i < p.n; i += threads) take(to_float(x[i]), to_float(x[i]));
    });
    if (threadIdx.x == 0) {
        p.ranges[2 * blockIdx.x] = low;
        p.ranges[2 * blockIdx.x + 1] = high;
    }
}

TENON_DEVICE void finish_range(const RangeParams& p, float* shared) {
    float low, high;
    block_range(shared, low, high, [&](auto take) {
        for (int i = static_cast<int>(threadIdx.x); i < p.blocks; i += kQuantizeThreads) {
            take(p.ranges[2 * i], p.ranges[2 * i + 1]);
        }
    });
    if (threadIdx.x == 0) {
        float scale = low == high ? 1.0f : (high - low) / 255.0f;
        *p.scale = scale;
        *p.zero = from_float<uint8_t>(-low / scale);
    }
}

}  // namespace tenon::cuda
