// Rows that begin at any element: vector accesses inside, single elements at the edges.
#pragma once
#include "common/vector.cuh"

namespace tenon::cuda {

// A row of n < 2^31 - 32 elements as accesses of N elements, each aligned to its size. The first access begins `shift`
// elements before the row when the row's address is no multiple of the access' size; then, and at the end, an access
// holds elements outside the row, which are not touched.
template <class T, int N>
class Row {
  public:
    TENON_DEVICE Row(const T* row, int n) {
        shift_ = static_cast<int>(reinterpret_cast<uintptr_t>(row) / sizeof(T) % N);
        start_ = row - shift_;
        n_ = n;
    }
    TENON_DEVICE int accesses() const { return (n_ + shift_ + N - 1) / N; }
    // The row's element that the access begins with; negative in the first access of a shifted row.
    TENON_DEVICE int first(int access) const { return access * N - shift_; }
    TENON_DEVICE bool whole(int access) const { return first(access) >= 0 && first(access) + N <= n_; }
    TENON_DEVICE bool holds(int element) const { return element >= 0 && element < n_; }

    // Accesses `access`, access + step ... below `end`; elements outside the row and accesses from `end` on hold
    // `outside`. All whole accesses are in flight before the first value is used.
    template <int items>
    TENON_DEVICE void load(int access, int step, int end, float outside, Words<T, N> (&v)[items]) const {
        float fill[N];
        TENON_UNROLL
        for (int k = 0; k < N; k++) fill[k] = outside;
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            int a = access + i * step;
            v[i] = words_from_floats<T>(fill);
            if (a < end && whole(a)) v[i] = load_words<N>(start_ + a * N);
        }
        TENON_UNROLL
        for (int i = 0; i < items; i++) {
            int a = access + i * step;
            if (a >= end || whole(a)) continue;
            float edge[N];
            TENON_UNROLL
            for (int k = 0; k < N; k++) edge[k] = holds(first(a) + k) ? to_float(start_[a * N + k]) : outside;
            v[i] = words_from_floats<T>(edge);
        }
    }

  private:
    const T* start_;
    int n_;
    int shift_;
};

// Stores N values as Y in one access, or more of 16 bytes. The address is a multiple of min(16, N * sizeof(Y)). On the
// GPU in PTX: the compiler takes plain stores apart to share them between branches.
template <class Y, int N>
TENON_DEVICE void store_floats(Y* at, const float (&v)[N]) {
    constexpr int part = N < kVector<Y> ? N : kVector<Y>;
    TENON_UNROLL
    for (int i = 0; i < N; i += part) {
        float some[part];
        TENON_UNROLL
        for (int k = 0; k < part; k++) some[k] = v[i + k];
        Words<Y, part> words = words_from_floats<Y>(some);
#if defined(TENON_ON_GPU)
        if constexpr (words.count == 4) {
            asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(at + i), "r"(words.w[0]), "r"(words.w[1]),
                         "r"(words.w[2]), "r"(words.w[3])
                         : "memory");
        } else if constexpr (words.count == 2) {
            asm volatile("st.global.v2.b32 [%0], {%1, %2};" ::"l"(at + i), "r"(words.w[0]), "r"(words.w[1]) : "memory");
        } else {
            store_words<part>(at + i, words);
        }
#else
        store_words<part>(at + i, words);
#endif
    }
}

}  // namespace tenon::cuda
