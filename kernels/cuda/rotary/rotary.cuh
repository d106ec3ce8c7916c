#pragma once
#include "common/vector.cuh"
#include "rotary/rotary_params.h"

namespace tenon::cuda {

// N elements of cos or sin, as fp32.
template <class T, int N>
TENON_DEVICE void load_table(const void* table, bool f32, int64_t at, float (&to)[N]) {
    if (f32) {
        constexpr int part = N < 4 ? N : 4;
        TENON_UNROLL
        for (int i = 0; i < N; i += part) {
            float v[part];
            to_floats(load<part>(static_cast<const float*>(table) + at + i), v);
            TENON_UNROLL
            for (int k = 0; k < part; k++) to[i + k] = v[k];
        }
    } else {
        to_floats(load<N>(static_cast<const T*>(table) + at), to);
    }
}

// The pairs of two accesses u and v: (u[k], v[k]), or neighbours; and back.
template <bool interleaved, int N>
TENON_DEVICE void to_pairs(const float (&u)[N], const float (&v)[N], float (&a)[N], float (&b)[N]) {
    TENON_UNROLL
    for (int k = 0; k < N; k++) {
        if constexpr (interleaved && N > 1) {
            a[k] = k < N / 2 ? u[2 * k] : v[2 * k - N];
            b[k] = k < N / 2 ? u[2 * k + 1] : v[2 * k + 1 - N];
        } else {
            a[k] = u[k];
            b[k] = v[k];
        }
    }
}
template <bool interleaved, int N>
TENON_DEVICE void from_pairs(const float (&a)[N], const float (&b)[N], float (&u)[N], float (&v)[N]) {
    TENON_UNROLL
    for (int k = 0; k < N; k++) {
        if constexpr (interleaved && N > 1) {
            u[k] = k % 2 == 0 ? a[k / 2] : b[k / 2];
            v[k] = k % 2 == 0 ? a[(k + N) / 2] : b[(k + N) / 2];
        } else {
            u[k] = a[k];
            v[k] = b[k];
        }
    }
}

template <bool yes>
struct Interleaved {
    static constexpr bool value = yes;
};

template <class T, int N>
TENON_DEVICE void rotary(const RotaryParams& p) {
    const uint32_t index = blockIdx.x * kRotaryThreads + threadIdx.x;
    if (index >= p.work) return;
    const uint32_t token = index / p.token_work, rest = index % p.token_work;
    const uint32_t batch = token / p.sequence, position = token % p.sequence;
    const uint32_t group = rest / p.units, unit = rest % p.units;
    const bool is_k = group >= p.q_groups;
    const RotaryTensor& t = p.tensors[is_k];
    const int64_t head = int64_t{group - (is_k ? p.q_groups : 0)} * kRotaryHeads;
    const int heads = static_cast<int>(min(t.heads - head, int64_t{kRotaryHeads}));
    const T* x =
        static_cast<const T*>(t.x) + batch * t.batch_stride + position * t.sequence_stride + head * t.head_stride;
    T* y = static_cast<T*>(t.y) + batch * t.y_batch_stride + position * t.y_sequence_stride + head * t.y_head_stride;
    using V = Words<T, N>;

    if (unit >= p.rotary_units) {
        const int64_t i = p.rotary + int64_t{unit - p.rotary_units} * N;
        V v[kRotaryHeads];
        TENON_UNROLL
        for (int h = 0; h < kRotaryHeads; h++) {
            if (h < heads) v[h] = load_words<N>(x + h * t.head_stride + i);
        }
        TENON_UNROLL
        for (int h = 0; h < kRotaryHeads; h++) {
            if (h < heads) store_words<N>(y + h * t.y_head_stride + i, v[h]);
        }
        return;
    }

    int64_t m = p.position_offset + batch * p.position_batch_step + position;
    if (p.positions) {
        m = p.wide_positions ? static_cast<const int64_t*>(p.positions)[token]
                             : static_cast<const int32_t*>(p.positions)[token];
    }
    const int first = static_cast<int>(unit) * (p.interleaved ? 2 * N : N);
    const int second = p.interleaved ? first + N : first + p.rotary / 2;
    V u[kRotaryHeads], v[kRotaryHeads];
    TENON_UNROLL
    for (int h = 0; h < kRotaryHeads; h++) {
        if (h < heads) {
            u[h] = load_words<N>(x + h * t.head_stride + first);
            v[h] = load_words<N>(x + h * t.head_stride + second);
        }
    }
    float c[N], n[N];
    if (m >= 0 && m < p.max_position) {
        const int64_t at = m * p.table_stride + unit * N;
        load_table<T>(p.cos, p.table_f32, at, c);
        load_table<T>(p.sin, p.table_f32, at, n);
    } else {
        TENON_UNROLL
        for (int k = 0; k < N; k++) c[k] = n[k] = float_of(0x7fc00000u);
    }

    auto rotate = [&](auto interleaved) {
        TENON_UNROLL
        for (int h = 0; h < kRotaryHeads; h++) {
            if (h >= heads) continue;
            float from[2][N], a[N], b[N], to[2][N];
            to_floats(u[h], from[0]);
            to_floats(v[h], from[1]);
            to_pairs<interleaved.value>(from[0], from[1], a, b);
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                float r = a[k] * c[k] - b[k] * n[k];
                b[k] = b[k] * c[k] + a[k] * n[k];
                a[k] = r;
            }
            from_pairs<interleaved.value>(a, b, to[0], to[1]);
            store_words<N>(y + h * t.y_head_stride + first, words_from_floats<T>(to[0]));
            store_words<N>(y + h * t.y_head_stride + second, words_from_floats<T>(to[1]));
        }
    };
    if (p.interleaved) {
        rotate(Interleaved<true>{});
    } else {
        rotate(Interleaved<false>{});
    }
}

}  // namespace tenon::cuda
