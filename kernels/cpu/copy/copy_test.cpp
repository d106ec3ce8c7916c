#include "copy.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("copy");

// Random dims and strides for both sides; dst strides are such that no two elements meet.
template <class T>
void test_random(const CopyKernels& kernels, Random& random) {
    const int64_t choices[] = {0, 1, 2, 3, 5, 16, 33, 700};
    const int32_t rank = static_cast<int32_t>(random.below(6));
    std::vector<int64_t> dims(rank), src_strides(rank), dst_strides(rank);
    int64_t n = 1, src_next = 1, dst_next = 1, src_low = 0, src_high = 0, dst_low = 0, dst_high = 0;
    for (int32_t d = rank - 1; d >= 0; --d) {
        dims[d] = choices[random.below(n > 2000 ? 4 : 8)];
        if (dims[d] == 0 && random.below(8) != 0) dims[d] = 4;
        n *= dims[d];
        const int64_t kind = random.below(6);
        src_strides[d] = kind == 0 ? 0 : kind == 1 ? -src_next : kind == 2 ? 3 * src_next : src_next;
        if (kind != 0) src_next *= (dims[d] + 1) * (kind == 2 ? 3 : 1) - (kind > 3);
        const int64_t dst_kind = random.below(5);
        dst_strides[d] = dst_kind == 0 ? -dst_next : dst_kind == 1 ? 2 * dst_next : dst_next;
        dst_next *= (dims[d] == 0 ? 1 : dims[d]) * (dst_kind == 1 ? 2 : 1) + (dst_kind == 2);
        if (src_next <= 0) src_next = 1;
        const int64_t most = dims[d] > 0 ? dims[d] - 1 : 0;
        (src_strides[d] < 0 ? src_low : src_high) += src_strides[d] * most;
        (dst_strides[d] < 0 ? dst_low : dst_high) += dst_strides[d] * most;
    }
    if (src_high - src_low > 300000 || dst_high - dst_low > 300000) return;
    Guarded<T> src(src_high - src_low + 1), dst(dst_high - dst_low + 1);
    for (int64_t i = 0; i < src.size(); ++i) src[i] = static_cast<T>(random.next());
    for (int fills = 0; fills < 2; ++fills) {
        std::vector<T> expected(dst.size(), static_cast<T>(0x77));
        for (int64_t i = 0; i < dst.size(); ++i) dst[i] = static_cast<T>(0x77);
        const T value = static_cast<T>(random.next());
        CopyPlan plan;
        if (!checker.expect(copy_plan(dims.data(), src_strides.data(), dst_strides.data(), rank, sizeof(T), &plan),
                            "plan"))
            return;
        for (int64_t i = 0; i < n; ++i) {
            int64_t rest = i, from = -src_low, to = -dst_low;
            for (int32_t d = rank - 1; d >= 0; --d) {
                from += rest % dims[d] * src_strides[d];
                to += rest % dims[d] * dst_strides[d];
                rest /= dims[d];
            }
            expected[to] = fills ? value : src[from];
        }
        const int64_t cut = random.below(plan.units + 1);
        for (int part = 0; part < 2; ++part) {
            const int64_t begin = part == 0 ? 0 : cut, end = part == 0 ? cut : plan.units;
            if (fills) {
                kernels.fill(plan, &value, dst.get() - dst_low, begin, end);
            } else {
                kernels.run(plan, src.get() - src_low, dst.get() - dst_low, begin, end);
            }
        }
        checker.expect(dst.size() == 0 || memcmp(dst.get(), expected.data(), dst.size() * sizeof(T)) == 0,
                       "%s of %lld elements of %d bytes, rank %d (%s)", fills ? "fill" : "copy", (long long)n,
                       static_cast<int>(sizeof(T)), rank, isa_name(kernels.isa));
    }
}

// A stretch long enough to be cut in pieces.
void test_long(const CopyKernels& kernels) {
    const int64_t n = 300001;
    Guarded<uint32_t> src(n), dst(n);
    for (int64_t i = 0; i < n; ++i) src[i] = static_cast<uint32_t>(i * 7);
    CopyPlan plan;
    const int64_t one = 1;
    checker.expect(copy_plan(&n, &one, &one, 1, 4, &plan) && plan.units > 4, "long stretches are shared");
    kernels.run(plan, src.get(), dst.get(), 0, 3);
    kernels.run(plan, src.get(), dst.get(), 3, plan.units);
    checker.expect(memcmp(src.get(), dst.get(), n * 4) == 0, "long copy");
}

void test_all(const CopyKernels& kernels) {
    Random random(5);
    for (int round = 0; round < 200; ++round) {
        test_random<uint8_t>(kernels, random);
        test_random<uint16_t>(kernels, random);
        test_random<uint32_t>(kernels, random);
        test_random<uint64_t>(kernels, random);
    }
    test_long(kernels);
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "copy.inc"
#undef TENON_KERNEL
    CopyPlan plan;
    const int64_t dim = -1, stride = 1;
    checker.expect(!copy_plan(&dim, &stride, &stride, 1, 4, &plan), "negative dim");
    checker.expect(!copy_plan(&stride, &stride, &stride, 1, 5, &plan), "element bytes");
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
