#pragma once
#include "common/philox.cuh"
#include "topk/topk.cuh"

namespace tenon::cuda {

// A row's random numbers, and the score that decides the race.
class Race {
  public:
    TENON_DEVICE Race(const SampleParams& p, int64_t row)
        : seed_(p.seeds ? static_cast<uint64_t>(p.seeds[row]) : 0),
          offset_(p.offsets ? static_cast<uint64_t>(p.offsets[row]) : 0),
          inverse_temperature_(p.inverse_temperature),
          greedy_(p.greedy) {}

    // For elements 4 * group and the three after it.
    TENON_DEVICE Vec<uint32_t, 4> words(int group) const {
        if (greedy_) return {};
        return philox(
            {{static_cast<uint32_t>(group), 0, static_cast<uint32_t>(offset_), static_cast<uint32_t>(offset_ >> 32)}},
            seed_);
    }
    TENON_DEVICE uint64_t item(int index, float logit, uint32_t word) const {
        float score = greedy_ ? logit : logit * inverse_temperature_ - log2_fast(exponential(word)) * kLn2;
        return item_of(key_of(score), index);
    }
    TENON_DEVICE uint64_t item(int index, float logit) const {
        Vec<uint32_t, 4> w = words(index / 4);
        return item(index, logit, index % 4 == 0 ? w.v[0] : index % 4 == 1 ? w.v[1] : index % 4 == 2 ? w.v[2] : w.v[3]);
    }

  private:
    // -log(1 - u) for u = (word + 1/2) / 2^32, with small relative error everywhere: small values win.
    static TENON_DEVICE float exponential(uint32_t word) {
        const float unit = float_of((127u - 32u) << 23);
        float u = (static_cast<float>(word) + 0.5f) * unit;
        if (u < 0.03125f) return u * (1.0f + u * (0.5f + u * (0.33333333f + u * 0.25f)));
        return -log2_fast((static_cast<float>(~word) + 0.5f) * unit) * kLn2;
    }

    uint64_t seed_, offset_;
    float inverse_temperature_;
    bool greedy_;
};

TENON_DEVICE uint64_t warp_best(uint64_t best) {
    TENON_UNROLL
    for (int offset = kWarp / 2; offset > 0; offset /= 2) {
        best = larger(best, __shfl_xor_sync(kAllLanes, best, offset));
    }
    return best;
}
// shared: a number for each warp; used again only after a barrier. Thread 0 has the result.
TENON_DEVICE uint64_t block_best(uint64_t best, uint64_t* shared) {
    best = warp_best(best);
    __syncthreads();
    if (lane_id() == 0) shared[warp_id()] = best;
    __syncthreads();
    return warp_best(lane_id() < kTopkThreads / kWarp ? shared[lane_id()] : 0);
}

TENON_DEVICE void store_token(const SampleParams& p, int64_t row, uint64_t best) {
    if (p.token_bytes == 8) {
        static_cast<int64_t*>(p.tokens)[row] = index_of(best);
    } else {
        static_cast<int32_t*>(p.tokens)[row] = index_of(best);
    }
}

// Four neighbouring elements from 4 * group on; those beyond the row are `outside`.
template <class T>
TENON_DEVICE Words<T, 4> load_group(const SampleParams& p, const T* x, int group, float outside) {
    if (p.vectors && 4 * group + 4 <= p.n) return load_words<4>(x + 4 * group);
    float v[4];
    TENON_UNROLL
    for (int k = 0; k < 4; k++) v[k] = 4 * group + k < p.n ? to_float(x[4 * group + k]) : outside;
    return words_from_floats<T>(v);
}

// The best of a chunk of a row.
template <class T>
TENON_DEVICE void sample_race(const SampleParams& p, uint64_t* shared) {
    const int64_t row = blockIdx.x / p.chunks;
    const int chunk = static_cast<int>(blockIdx.x - row * p.chunks);
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride;
    const Race race(p, row);
    constexpr int groups = kTopkItems / 4;
    const int first = chunk * (kTopkChunk / 4) + static_cast<int>(threadIdx.x);
    Words<T, 4> raw[groups];
    TENON_UNROLL
    for (int i = 0; i < groups; i++) {
        if (4 * (first + i * kTopkThreads) < p.n) raw[i] = load_group(p, x, first + i * kTopkThreads, 0.0f);
    }
    uint64_t best = 0;
    TENON_UNROLL
    for (int i = 0; i < groups; i++) {
        int group = first + i * kTopkThreads;
        if (4 * group >= p.n) continue;
        Vec<uint32_t, 4> w = race.words(group);
        float v[4];
        to_floats(raw[i], v);
        TENON_UNROLL
        for (int k = 0; k < 4; k++) {
            if (4 * group + k < p.n) best = larger(best, race.item(4 * group + k, v[k], w.v[k]));
        }
    }
    best = block_best(best, shared);
    if (threadIdx.x != 0) return;
    if (p.chunks == 1) {
        store_token(p, row, best);
    } else {
        p.to[blockIdx.x] = best;
    }
}

// The best of a row's chunks, by a warp.
TENON_DEVICE void sample_pick(const SampleParams& p) {
    const int64_t row = int64_t{blockIdx.x} * (kTopkThreads / kWarp) + warp_id();
    if (row >= p.rows) return;
    uint64_t best = 0;
    for (int i = lane_id(); i < p.count; i += kWarp) best = larger(best, p.from[row * p.count + i]);
    best = warp_best(best);
    if (lane_id() == 0) store_token(p, row, best);
}

struct SampleShared {
    TopkShared topk;
    uint64_t best[kTopkThreads / kWarp];
    float sums[kTopkThreads / kWarp];
    int cut;
};

template <class E>
TENON_DEVICE float relative(float t, float largest) {
    return t == largest ? 1.0f : E::of(t - largest);
}

// The candidates do not hold all that may stay: the threshold from the whole row, then the race.
template <class T>
TENON_DEVICE uint64_t sample_whole(const SampleParams& p, const T* x, const Race& race, float largest,
                                   SampleShared& shared) {
    using E = Exponential<T>;
    const int groups = (p.n + 3) / 4;
    auto for_each = [&](auto body) {
        TENON_NO_UNROLL
        for (int group = static_cast<int>(threadIdx.x); group < groups; group += kTopkThreads) {
            float v[4];
            to_floats(load_group(p, x, group, 0.0f), v);
            TENON_UNROLL
            for (int k = 0; k < 4; k++) {
                if (4 * group + k < p.n) body(4 * group + k, v[k]);
            }
        }
    };
    auto mass = [&](uint32_t from) {
        float s = 0.0f;
        for_each([&](int, float v) {
            if (key_of(v) >= from) s += relative<E>(v * p.unit, largest);
        });
        return block_reduce<Sum, kTopkThreads>(s, shared.sums);
    };
    uint32_t from = 0;
    if (p.top_p < 1.0f) {
        const float enough = p.top_p * mass(0);
        // Keys of 16-bit values differ in their upper halves.
        TENON_NO_UNROLL
        for (int bit = 31; bit >= (sizeof(T) == 2 ? 16 : 0); bit--) {
            uint32_t next = from | 1u << bit;
            if (mass(next) >= enough) from = next;
        }
    }
    const float lowest = largest + p.min_log;
    uint64_t best = 0;
    for_each([&](int index, float v) {
        if (key_of(v) >= from && !(v * p.unit < lowest)) best = larger(best, race.item(index, v));
    });
    return best;
}

// The launch after the selection of candidates: cuts them and draws one. A block to a row.
template <class T>
TENON_DEVICE void sample_draw(const SampleParams& p, SampleShared& shared) {
    using E = Exponential<T>;
    const int64_t row = blockIdx.x;
    const int thread = static_cast<int>(threadIdx.x);
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride;
    const Race race(p, row);
    int kept;
    {
        const TopkItems items(p.from + row * p.count, p.count, 0);
        kept = select_items<kTopkItems>(p.k, p.slots, shared.topk, [&](int i) { return items.item[i]; });
    }
    sort_items(kept, shared.topk.items);
    if (kept > p.k) kept = p.k;

    // Candidates of a thread: neighbours, so that prefix sums follow the order.
    constexpr int own = kTopkMost / kTopkThreads;
    const uint64_t* item = shared.topk.items;
    const float largest = value_of(key_of_item(item[0])) * p.unit;
    float t[own], prefix[own], sum = 0.0f;
    TENON_UNROLL
    for (int c = 0; c < own; c++) {
        int j = thread * own + c;
        t[c] = j < kept ? value_of(key_of_item(item[j])) * p.unit : 0.0f;
        sum += j < kept ? relative<E>(t[c], largest) : 0.0f;
        prefix[c] = sum;
    }
    float before = sum;
    TENON_UNROLL
    for (int offset = 1; offset < kWarp; offset *= 2) {
        float other = __shfl_up_sync(kAllLanes, before, offset);
        if (lane_id() >= offset) before += other;
    }
    if (lane_id() == kWarp - 1) shared.sums[warp_id()] = before;
    if (thread == 0) shared.cut = kept;
    __syncthreads();
    before -= sum;
    float all = 0.0f;
    TENON_UNROLL
    for (int i = 0; i < kTopkThreads / kWarp; i++) {
        if (i < warp_id()) before += shared.sums[i];
        all += shared.sums[i];
    }
    if (p.sums) {
        auto s = SoftmaxSum<E>::none();
        const auto* sums = static_cast<const SoftmaxSum<E>*>(p.sums) + row * p.chunks;
        for (int i = thread; i < p.chunks; i += kTopkThreads) s.merge(sums[i]);
        all = block_reduce<E, kTopkThreads>(s, shared.sums).sum();
    }
    float lowest = largest + p.min_log;
    bool complete = !p.sums || kept == p.n;
    if (p.top_p < 1.0f) {
        TENON_UNROLL
        for (int c = 0; c < own; c++) {
            if (thread * own + c < kept && before + prefix[c] >= p.top_p * all)
                atomicMin(&shared.cut, thread * own + c);
        }
        __syncthreads();
        if (shared.cut < kept) {
            float at = value_of(key_of_item(item[shared.cut])) * p.unit;
            lowest = lowest > at ? lowest : at;
        } else if (!complete) {
            lowest = float_of(0xff800000u);
        }
    }
    uint64_t best = 0;
    // Elements equal to the last candidate may be missing among them.
    if (!complete && !(lowest > value_of(key_of_item(item[kept - 1])) * p.unit)) {
        best = sample_whole(p, x, race, largest, shared);
    } else {
        TENON_UNROLL
        for (int c = 0; c < own; c++) {
            int j = thread * own + c;
            if (j < kept && !(t[c] < lowest)) {
                best = larger(best, race.item(index_of(item[j]), value_of(key_of_item(item[j]))));
            }
        }
    }
    best = block_best(best, shared.best);
    if (thread == 0) store_token(p, row, best);
}

}  // namespace tenon::cuda
