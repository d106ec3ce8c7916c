// N elements that move as one access. N * sizeof(T) is 1, 2, 4, 8 or 16 bytes and the address a multiple of it.
#pragma once
#include "common/types.cuh"

namespace tenon::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Vec {
    T v[N];
};

// Elements of T in 16 bytes.
template <class T>
constexpr int kVector = 16 / static_cast<int>(sizeof(T));

template <int N, class T>
TENON_DEVICE Vec<T, N> load(const T* address) {
    return *reinterpret_cast<const Vec<T, N>*>(address);
}

template <int N, class T>
TENON_DEVICE void store(T* address, const Vec<T, N>& value) {
    *reinterpret_cast<Vec<T, N>*>(address) = value;
}

#if defined(TENON_ON_GPU)
namespace detail {
template <int bytes>
struct Word;
template <>
struct Word<1> {
    using type = unsigned char;
};
template <>
struct Word<2> {
    using type = unsigned short;
};
template <>
struct Word<4> {
    using type = unsigned int;
};
template <>
struct Word<8> {
    using type = uint2;
};
template <>
struct Word<16> {
    using type = uint4;
};
}  // namespace detail
#endif

// For data read once, or written and not read again soon: leaves the caches to others ("evict first").
template <int N, class T>
TENON_DEVICE Vec<T, N> load_once(const T* address) {
#if defined(TENON_ON_GPU)
    using W = typename detail::Word<sizeof(T) * N>::type;
    W w = __ldcs(reinterpret_cast<const W*>(address));
    return reinterpret_cast<Vec<T, N>&>(w);
#else
    return load<N>(address);
#endif
}

template <int N, class T>
TENON_DEVICE void store_once(T* address, const Vec<T, N>& value) {
#if defined(TENON_ON_GPU)
    using W = typename detail::Word<sizeof(T) * N>::type;
    __stcs(reinterpret_cast<W*>(address), reinterpret_cast<const W&>(value));
#else
    store<N>(address, value);
#endif
}

template <int N, class T>
TENON_DEVICE void to_floats(const Vec<T, N>& from, float (&to)[N]) {
    TENON_UNROLL
    for (int i = 0; i < N; i++) to[i] = to_float(from.v[i]);
}

// Pairs of 16-bit results take one conversion.
template <class T, int N>
TENON_DEVICE Vec<T, N> from_floats(const float (&from)[N]) {
    Vec<T, N> r;
    if constexpr (N % 2 == 0 && (kSame<T, f16> || kSame<T, bf16>)) {
        TENON_UNROLL
        for (int i = 0; i < N; i += 2) {
            uint32_t pair = Pack<T>::from(from[i], from[i + 1]);
            r.v[i].bits = static_cast<uint16_t>(pair);
            r.v[i + 1].bits = static_cast<uint16_t>(pair >> 16);
        }
    } else {
        TENON_UNROLL
        for (int i = 0; i < N; i++) r.v[i] = from_float<T>(from[i]);
    }
    return r;
}

// N elements of 16 or 32 bits in 32-bit registers, for values that are kept while others are on their way: the compiler
// gives every 16-bit element of a Vec a register of its own, and splits a Vec, which waits for its load, at once.
template <class T, int N>
struct Words {
    static_assert(sizeof(T) == 4 || sizeof(T) == 2);
    static constexpr int count = sizeof(T) == 4 ? N : (N + 1) / 2;
    uint32_t w[count];
};

template <int N, class T>
TENON_DEVICE Words<T, N> load_words(const T* address) {
    Words<T, N> r;
    if constexpr (sizeof(T) * N == 2) {
        r.w[0] = address->bits;
    } else {
        constexpr int count = Words<T, N>::count;
        Vec<uint32_t, count> v = load<count>(reinterpret_cast<const uint32_t*>(address));
        TENON_UNROLL
        for (int i = 0; i < count; i++) r.w[i] = v.v[i];
    }
    return r;
}

template <class T, int N>
TENON_DEVICE void to_floats(const Words<T, N>& from, float (&to)[N]) {
    TENON_UNROLL
    for (int i = 0; i < N; i++) {
        if constexpr (sizeof(T) == 4) {
            to[i] = float_of(from.w[i]);
        } else if constexpr (kSame<T, bf16>) {
            to[i] = float_of(i % 2 == 0 ? from.w[i / 2] << 16 : from.w[i / 2] & 0xffff0000u);
        } else {
            to[i] = to_float(T{static_cast<uint16_t>(from.w[i / 2] >> i % 2 * 16)});
        }
    }
}

template <class T, int N>
TENON_DEVICE Words<T, N> words_from_floats(const float (&from)[N]) {
    Words<T, N> r;
    TENON_UNROLL
    for (int i = 0; i < Words<T, N>::count; i++) {
        if constexpr (sizeof(T) == 4) {
            r.w[i] = bits_of(from[i]);
        } else {
            r.w[i] = Pack<T>::from(from[2 * i], 2 * i + 1 < N ? from[2 * i + 1] : 0.0f);
        }
    }
    return r;
}

// To device memory, as one access: the compiler breaks the store of a struct up where it likes.
template <int N, class T>
TENON_DEVICE void store_words(T* address, const Words<T, N>& value) {
#if defined(TENON_ON_GPU)
    const uint32_t* w = value.w;
    if constexpr (sizeof(T) * N == 16) {
        asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(address)), "r"(w[0]),
                     "r"(w[1]), "r"(w[2]), "r"(w[3])
                     : "memory");
    } else if constexpr (sizeof(T) * N == 8) {
        asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(__cvta_generic_to_global(address)), "r"(w[0]), "r"(w[1])
                     : "memory");
    } else if constexpr (sizeof(T) * N == 4) {
        *reinterpret_cast<uint32_t*>(address) = w[0];
    } else {
        address->bits = static_cast<uint16_t>(w[0]);
    }
#else
    if constexpr (sizeof(T) * N == 2) {
        address->bits = static_cast<uint16_t>(value.w[0]);
    } else {
        using V = Vec<uint32_t, Words<T, N>::count>;
        *reinterpret_cast<V*>(address) = __builtin_bit_cast(V, value);
    }
#endif
}

}  // namespace tenon::cuda
