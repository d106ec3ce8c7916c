#include "transpose.h"

#include <algorithm>

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("transpose");

template <class T>
void test_one(const TransposeKernels& kernels, const std::vector<int64_t>& dims, const std::vector<int32_t>& perm,
              Random& random) {
    const int32_t rank = static_cast<int32_t>(dims.size());
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    Guarded<T> src(n), dst(n);
    for (int64_t i = 0; i < n; ++i) src[i] = static_cast<T>(random.next());
    TransposePlan plan;
    if (!checker.expect(transpose_plan(dims.data(), perm.data(), rank, sizeof(T), &plan), "plan")) return;
    const int64_t cut = random.below(plan.units + 1);
    kernels.run(plan, src.get(), dst.get(), 0, cut);
    kernels.run(plan, src.get(), dst.get(), cut, plan.units);
    std::vector<int64_t> index(rank, 0);
    for (int64_t i = 0; i < n; ++i) {
        int64_t rest = i;
        for (int32_t d = rank - 1; d >= 0; --d) {
            index[perm[d]] = rest % dims[perm[d]];
            rest /= dims[perm[d]];
        }
        int64_t from = 0;
        for (int32_t d = 0; d < rank; ++d) from = from * dims[d] + index[d];
        if (!checker.expect(dst[i] == src[from], "%d bytes, rank %d, element %lld of %lld (%s)",
                            static_cast<int>(sizeof(T)), rank, (long long)i, (long long)n, isa_name(kernels.isa))) {
            return;
        }
    }
}

void test_all(const TransposeKernels& kernels) {
    Random random(3);
    auto each_type = [&](const std::vector<int64_t>& dims, const std::vector<int32_t>& perm) {
        test_one<uint8_t>(kernels, dims, perm, random);
        test_one<uint16_t>(kernels, dims, perm, random);
        test_one<uint32_t>(kernels, dims, perm, random);
        test_one<uint64_t>(kernels, dims, perm, random);
    };
    for (int64_t rows : {0, 1, 3, 7, 8, 15, 16, 17, 33, 67, 130}) {
        for (int64_t cols : {0, 1, 3, 7, 8, 15, 16, 17, 33, 67, 130}) each_type({rows, cols}, {1, 0});
    }
    each_type({}, {});
    each_type({5}, {0});
    each_type({2, 17, 3, 19}, {0, 2, 1, 3});
    each_type({1, 3, 33, 21}, {0, 2, 3, 1});
    each_type({2, 16, 16, 4}, {3, 2, 1, 0});
    const int64_t choices[] = {1, 2, 3, 5, 16, 17};
    for (int round = 0; round < 300; ++round) {
        const int32_t rank = static_cast<int32_t>(random.below(7));
        std::vector<int64_t> dims(rank);
        std::vector<int32_t> perm(rank);
        int64_t n = 1;
        for (int32_t d = 0; d < rank; ++d) {
            dims[d] = choices[random.below(n > 3000 ? 3 : 6)];
            n *= dims[d];
            perm[d] = d;
        }
        for (int32_t d = rank - 1; d > 0; --d) std::swap(perm[d], perm[random.below(d + 1)]);
        each_type(dims, perm);
    }
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "transpose.inc"
#undef TENON_KERNEL
    TransposePlan plan;
    const int64_t dims[] = {2, 3};
    const int32_t twice[] = {1, 1};
    checker.expect(!transpose_plan(dims, twice, 2, 4, &plan), "no permutation");
    checker.expect(!transpose_plan(dims, twice, 2, 3, &plan), "element bytes");
    checker.expect(!transpose_plan(dims, twice, 9, 4, &plan), "rank");
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
