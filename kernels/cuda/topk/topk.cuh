#pragma once
#include "common/row.cuh"
#include "common/softmax_sum.cuh"
#include "topk/topk_params.h"

namespace tenon::cuda {

// Order of elements as numbers: a key of 32 bits that grows with the value (NaN is above all, -0 equals 0), and an
// item, the key above the complement of the index: the items of a row are distinct, and the larger comes first. 0: no
// item.
// With all bits of flip the order's other end comes first, but NaN stays the largest number.
TENON_DEVICE uint32_t key_of(float v, uint32_t flip) {
    v += 0.0f;
    uint32_t u = bits_of(v);
    u ^= (static_cast<int32_t>(u) < 0 ? 0xffffffffu : 0x80000000u) ^ flip;
    return v != v ? (flip ? 1 : 0xffffffffu) : u;
}
TENON_DEVICE uint32_t key_of(float v) {
    return key_of(v, 0);
}
constexpr uint64_t kFirstItem = uint64_t{1} << 32;

TENON_DEVICE float value_of(uint32_t key) {
    return float_of(key & 0x80000000u ? key ^ 0x80000000u : ~key);
}
TENON_DEVICE uint64_t item_of(uint32_t key, int index) {
    return static_cast<uint64_t>(key) << 32 | ~static_cast<uint32_t>(index);
}
TENON_DEVICE uint32_t key_of_item(uint64_t item) {
    return static_cast<uint32_t>(item >> 32);
}
TENON_DEVICE int index_of(uint64_t item) {
    return static_cast<int>(~static_cast<uint32_t>(item));
}
TENON_DEVICE uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

struct TopkShared {
    uint64_t items[kTopkSort];
    int counts[2][kTopkThreads / kWarp];
    int count;
    uint64_t threshold;
    float sums[kTopkThreads / kWarp];
};

TENON_DEVICE int warp_count(int c) {
    TENON_UNROLL
    for (int offset = kWarp / 2; offset > 0; offset /= 2) c += __shfl_xor_sync(kAllLanes, c, offset);
    return c;
}

// Counts over the block, with one barrier each.
class BlockCount {
  public:
    TENON_DEVICE explicit BlockCount(TopkShared& shared) : shared_(shared) {}
    TENON_DEVICE int operator()(int c) {
        c = warp_count(c);
        // In turn: who writes for the count after the next has seen everybody pass the next one's barrier.
        turn_ ^= 1;
        if (lane_id() == 0) shared_.counts[turn_][warp_id()] = c;
        __syncthreads();
        c = 0;
        TENON_UNROLL
        for (int i = 0; i < kTopkThreads / kWarp; i++) c += shared_.counts[turn_][i];
        return c;
    }

  private:
    TopkShared& shared_;
    int turn_ = 0;
};

// The largest t, bit by bit, of which at least `least` items are no less; any earlier t that `most` items reach will
// do. count(t): of the block's items. There are more than `most`.
template <class Count>
TENON_DEVICE uint64_t bisect(int least, int most, const Count& count) {
    uint64_t t = 0;
    TENON_NO_UNROLL
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t next = t | uint64_t{1} << bit;
        int c = count(next);
        if (c < least) continue;
        t = next;
        if (c <= most) break;
    }
    return t;
}

// Leaves at most `slots` of the block's items in shared.items, in no order, the k largest among them; returns how many.
// item(i), i < count: the thread's items. k <= slots <= kTopkSort.
template <int count, class Item>
TENON_DEVICE int select_items(int k, int slots, TopkShared& shared, const Item& item) {
    BlockCount total(shared);
    auto reaching = [&](uint64_t t) {
        int c = 0;
        TENON_UNROLL
        for (int i = 0; i < count; i++) c += item(i) >= t;
        return c;
    };
    uint64_t best = 0;
    TENON_UNROLL
    for (int i = 0; i < count; i++) best = larger(best, item(i));

    uint64_t t = kFirstItem;
    if (4 * k <= 3 * kTopkThreads) {
        // The k-th of the threads' best items is no more than the k-th of all, and not far below it. One warp looks for
        // it.
        shared.items[threadIdx.x] = best;
        __syncthreads();
        if (warp_id() == 0) {
            constexpr int each = kTopkThreads / kWarp;
            uint64_t some[each];
            TENON_UNROLL
            for (int i = 0; i < each; i++) some[i] = shared.items[i * kWarp + lane_id()];
            auto some_reaching = [&](uint64_t next) {
                int c = 0;
                TENON_UNROLL
                for (int i = 0; i < each; i++) c += some[i] >= next;
                return warp_count(c);
            };
            if (some_reaching(t) >= k) t = bisect(k, k + k / 16, some_reaching);
            if (lane_id() == 0) shared.threshold = t;
        }
        __syncthreads();
        t = shared.threshold;
    }
    int mine = reaching(t), found = total(mine);
    if (found > slots) {
        t = bisect(k, slots, [&](uint64_t next) { return total(reaching(next)); });
        mine = reaching(t);
        found = total(mine);
    }
    if (threadIdx.x == 0) shared.count = 0;
    __syncthreads();
    if (mine > 0) {
        int at = atomicAdd(&shared.count, mine);
        TENON_UNROLL
        for (int i = 0; i < count; i++) {
            if (item(i) >= t) shared.items[at++] = item(i);
        }
    }
    __syncthreads();
    return found;
}

// Sorts items in shared memory, the largest first; those from `count` on become 0 up to the next power of two.
TENON_DEVICE void sort_items(int count, uint64_t* items) {
    int size = 2;
    while (size < count) size *= 2;
    const int thread = static_cast<int>(threadIdx.x);
    for (int i = count + thread; i < size; i += kTopkThreads) items[i] = 0;
    for (int run = 2; run <= size; run *= 2) {
        for (int stride = run / 2; stride > 0; stride /= 2) {
            __syncthreads();
            for (int i = thread; i < size / 2; i += kTopkThreads) {
                int a = 2 * i - (i & (stride - 1)), b = a + stride;
                uint64_t x = items[a], y = items[b];
                if ((x < y) == ((a & run) == 0)) {
                    items[a] = y;
                    items[b] = x;
                }
            }
        }
    }
    __syncthreads();
}

template <class T>
TENON_DEVICE void store_topk(const TopkParams& p, int64_t row, int j, uint64_t item) {
    int index = index_of(item);
    p.indices[row * p.k + j] = index;
    if (p.values) {
        static_cast<T*>(p.values)[row * p.k + j] = static_cast<const T*>(p.x)[row * p.x_stride + index];
    }
}

// What a block does with the items it selected: writes candidates, or results.
template <class T>
TENON_DEVICE void finish_topk(const TopkParams& p, int64_t row, int chunk, int found, TopkShared& shared) {
    const int thread = static_cast<int>(threadIdx.x);
    if (p.last) {
        sort_items(found, shared.items);
        for (int j = thread; j < p.k; j += kTopkThreads) store_topk<T>(p, row, j, shared.items[j]);
    } else {
        uint64_t* to = p.to + (row * p.chunks + chunk) * p.slots;
        for (int j = thread; j < p.slots; j += kTopkThreads) to[j] = j < found ? shared.items[j] : 0;
    }
}

// A block's kTopkChunk elements of a row: keys and indices; the key is 0 outside the row.
template <class T>
struct TopkChunk {
    static constexpr int N = kVector<T>, accesses = kTopkItems / N;
    uint32_t key[kTopkItems];
    int first;  // of the thread's first access

    TENON_DEVICE TopkChunk(const T* x, int n, int chunk, uint32_t flip) {
        const Row<T, N> row(x, n);
        const int access = chunk * (kTopkChunk / N) + static_cast<int>(threadIdx.x);
        first = row.first(access);
        Words<T, N> raw[accesses];
        row.load(access, kTopkThreads, row.accesses(), 0.0f, raw);
        TENON_UNROLL
        for (int i = 0; i < accesses; i++) {
            float v[N];
            to_floats(raw[i], v);
            TENON_UNROLL
            for (int k = 0; k < N; k++) key[i * N + k] = key_of(v[k], flip);
            if (row.whole(access + i * kTopkThreads)) continue;
            TENON_UNROLL
            for (int k = 0; k < N; k++) {
                if (!row.holds(index(i * N + k))) key[i * N + k] = 0;
            }
        }
    }
    TENON_DEVICE int index(int i) const { return first + i / N * (kTopkThreads * N) + i % N; }
};

// The first launch: x's elements.
template <class T>
TENON_DEVICE void topk_part(const TopkParams& p, TopkShared& shared) {
    const int64_t row = blockIdx.x / p.chunks;
    const int chunk = static_cast<int>(blockIdx.x - row * p.chunks);
    TopkChunk<T> part(static_cast<const T*>(p.x) + row * p.x_stride, p.n, chunk, p.flip);
    if (p.sums) {
        using E = Exponential<T>;
        auto s = SoftmaxSum<E>::none();
        // The keys hold the values: a second copy would not fit the registers.
        auto value = [&](int i) { return part.key[i] ? value_of(part.key[i]) * p.unit : float_of(0xff800000u); };
        float largest = s.largest;
        TENON_UNROLL
        for (int i = 0; i < kTopkItems; i++) largest = Max::combine(largest, value(i));
        s.largest = largest;
        TENON_UNROLL
        for (int i = 0; i < kTopkItems; i++) s.add_below(value(i));
        s = block_reduce<E, kTopkThreads>(s, shared.sums);
        if (threadIdx.x == 0) static_cast<SoftmaxSum<E>*>(p.sums)[row * p.chunks + chunk] = s;
    }
    int found =
        select_items<kTopkItems>(p.k, p.slots, shared, [&](int i) { return item_of(part.key[i], part.index(i)); });
    finish_topk<T>(p, row, chunk, found, shared);
}

// Candidates of the launch before that fall to this block.
struct TopkItems {
    uint64_t item[kTopkItems];

    TENON_DEVICE TopkItems(const uint64_t* from, int count, int chunk) {
        TENON_UNROLL
        for (int i = 0; i < kTopkItems; i++) {
            int at = chunk * kTopkChunk + i * kTopkThreads + static_cast<int>(threadIdx.x);
            item[i] = at < count ? from[at] : 0;
        }
    }
};

template <class T>
TENON_DEVICE void topk_merge(const TopkParams& p, TopkShared& shared) {
    const int64_t row = blockIdx.x / p.chunks;
    const int chunk = static_cast<int>(blockIdx.x - row * p.chunks);
    const TopkItems items(p.from + row * p.count, p.count, chunk);
    int found = select_items<kTopkItems>(p.k, p.slots, shared, [&](int i) { return items.item[i]; });
    finish_topk<T>(p, row, chunk, found, shared);
}

// k beyond kTopkMost: a block sorts a run of kTopkSort elements of a row and leaves the first p.slots of them.
template <class T>
TENON_DEVICE void topk_sort(const TopkParams& p, uint64_t* items) {
    const int64_t row = blockIdx.x / p.chunks;
    const int first = static_cast<int>(blockIdx.x - row * p.chunks) * kTopkSort;
    const int count = min(p.n - first, kTopkSort), thread = static_cast<int>(threadIdx.x);
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride + first;
    constexpr int own = kTopkSort / kTopkThreads;
    uint32_t key[own];
    TENON_UNROLL
    for (int item = 0; item < own; item++) {
        key[item] = key_of(to_float(x[min(item * kTopkThreads + thread, count - 1)]), p.flip);
    }
    TENON_UNROLL
    for (int item = 0; item < own; item++) {
        int i = item * kTopkThreads + thread;
        if (i < count) items[i] = item_of(key[item], first + i);
    }
    sort_items(count, items);
    if (p.last) {
        for (int j = thread; j < p.k; j += kTopkThreads) store_topk<T>(p, row, j, items[j]);
    } else {
        uint64_t* to = p.to + int64_t{blockIdx.x} * p.slots;
        for (int j = thread; j < p.slots; j += kTopkThreads) to[j] = j < count ? items[j] : 0;
    }
}

// Then each of those counts the items of its row's runs that come before it: that many is its place. Searches in
// several runs go on together, as each waits for one load after the other.
template <class T>
TENON_DEVICE void topk_rank(const TopkParams& p) {
    constexpr int together = 8;
    const int row_items = p.chunks * p.slots;
    const int64_t at = int64_t{blockIdx.x} * kTopkThreads + threadIdx.x, row = at / row_items;
    if (row >= p.rows) return;
    const uint64_t item = p.from[at];
    if (item == 0) return;
    const uint64_t* runs = p.from + row * row_items;
    int rank = 0;
    for (int run = 0; run < p.chunks && rank < p.k; run += together) {
        int before[together] = {};
        for (int step = p.step; step > 0; step /= 2) {
            // Loads without a branch, so that none waits for the one before.
            uint64_t found[together];
            TENON_UNROLL
            for (int i = 0; i < together; i++) {
                const int end = before[i] + step;
                const bool there = run + i < p.chunks && end <= p.slots;
                const uint64_t other = runs[there ? (run + i) * p.slots + end - 1 : 0];
                found[i] = there ? other : 0;
            }
            TENON_UNROLL
            for (int i = 0; i < together; i++) before[i] += found[i] > item ? step : 0;
        }
        TENON_UNROLL
        for (int i = 0; i < together; i++) rank += before[i];
    }
    if (rank < p.k) store_topk<T>(p, row, rank, item);
}

// A short row to a warp: k times the best of what is left.
template <class T>
TENON_DEVICE void topk_warp(const TopkParams& p) {
    const int64_t row = int64_t{blockIdx.x} * (kTopkThreads / kWarp) + warp_id();
    if (row >= p.rows) return;
    const T* x = static_cast<const T*>(p.x) + row * p.x_stride;
    uint64_t item[kTopkWarpItems], best = 0, mine = 0;
    TENON_UNROLL
    for (int i = 0; i < kTopkWarpItems; i++) {
        int index = i * kWarp + lane_id();
        item[i] = index < p.n ? item_of(key_of(to_float(x[index]), p.flip), index) : 0;
        best = larger(best, item[i]);
    }
    for (int j = 0; j < p.k; j++) {
        uint64_t winner = best;
        TENON_UNROLL
        for (int offset = kWarp / 2; offset > 0; offset /= 2) {
            winner = larger(winner, __shfl_xor_sync(kAllLanes, winner, offset));
        }
        if (lane_id() == j) mine = winner;
        if (best == winner) {
            best = 0;
            TENON_UNROLL
            for (int i = 0; i < kTopkWarpItems; i++) {
                if (item[i] == winner) item[i] = 0;
                best = larger(best, item[i]);
            }
        }
    }
    if (lane_id() < p.k) store_topk<T>(p, row, lane_id(), mine);
}

}  // namespace tenon::cuda
