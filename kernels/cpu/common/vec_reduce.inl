// Reductions of dense f32 arrays over the vectors of vec_<isa>.h: four accumulators per block, blocks added in double,
// so that the error hardly grows with the length.
#ifndef TENON_KERNELS_CPU_COMMON_VEC_REDUCE_INL
#define TENON_KERNELS_CPU_COMMON_VEC_REDUCE_INL

namespace tenon::cpu::TENON_ISA {
namespace {

constexpr int64_t kReduceBlock = 4096;

// Sum of fn(x[i]) for F32 fn(F32), n elements; missing lanes of the tail are 0 and must not count: fn is applied before
// they are cut off.
template <class Fn>
double sum_of(const float* x, int64_t n, Fn fn) {
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += kReduceBlock) {
        const int64_t count = n - begin < kReduceBlock ? n - begin : kReduceBlock;
        const float* p = x + begin;
        F32 a = set(0.0f), b = a, c = a, d = a;
        int64_t i = 0;
        for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
            a = a + fn(load(p + i));
            b = b + fn(load(p + i + kLanes));
            c = c + fn(load(p + i + 2 * kLanes));
            d = d + fn(load(p + i + 3 * kLanes));
        }
        for (; i + kLanes <= count; i += kLanes) a = a + fn(load(p + i));
        if (i < count) b = b + keep_part(fn(load_part(p + i, count - i)), count - i, set(0.0f));
        total += static_cast<double>(sum((a + b) + (c + d)));
    }
    return total;
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
#endif
