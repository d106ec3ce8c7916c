#include "gather.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("gather");

template <class Index>
void test_slices(const GatherKernels& kernels, int64_t outer, int64_t axis, int64_t count, int64_t slice_bytes) {
    Random random(axis + slice_bytes);
    Guarded<uint8_t> data(outer * axis * slice_bytes), dst(outer * count * slice_bytes);
    Guarded<Index> indices(count);
    for (int64_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(random.next());
    for (int64_t i = 0; i < count; ++i) indices[i] = static_cast<Index>(random.below(2 * axis) - axis);
    GatherParams p{data.get(), indices.get(), dst.get(), axis, count, slice_bytes, sizeof(Index)};
    const int64_t cut = random.below(outer * count + 1);
    checker.expect(kernels.gather(p, 0, cut) == -1 && kernels.gather(p, cut, outer * count) == -1,
                   "indices are in range");
    for (int64_t o = 0; o < outer; ++o) {
        for (int64_t k = 0; k < count; ++k) {
            const int64_t at = indices[k] < 0 ? indices[k] + axis : indices[k];
            checker.expect(memcmp(dst.get() + (o * count + k) * slice_bytes, data.get() + (o * axis + at) * slice_bytes,
                                  slice_bytes) == 0,
                           "slice of %lld bytes", (long long)slice_bytes);
        }
    }
    if (count == 0) return;
    for (int64_t bad : {axis, -axis - 1, static_cast<int64_t>(std::numeric_limits<Index>::max()),
                        static_cast<int64_t>(std::numeric_limits<Index>::min())}) {
        const int64_t k = random.below(count);
        const Index good = indices[k];
        indices[k] = static_cast<Index>(bad);
        checker.expect(kernels.gather(p, 0, outer * count) == k, "index %lld is out of range", (long long)bad);
        indices[k] = good;
    }
}

template <class T, class Index>
void test_elements(const GatherKernels& kernels, int64_t axis, int64_t count, int64_t inner, int64_t data_inner) {
    const int64_t outer = 3, n = outer * count * inner;
    Random random(axis + inner);
    Guarded<T> data(outer * axis * data_inner), dst(n);
    Guarded<Index> indices(n);
    for (int64_t i = 0; i < data.size(); ++i) data[i] = static_cast<T>(random.next());
    for (int64_t i = 0; i < n; ++i) indices[i] = static_cast<Index>(random.below(2 * axis) - axis);
    const GatherElementsParams p{data.get(), indices.get(), dst.get(), axis,         count,
                                 inner,      data_inner,    sizeof(T), sizeof(Index)};
    checker.expect(kernels.gather_elements(p, 0, n / 2) == -1 && kernels.gather_elements(p, n / 2, n) == -1,
                   "indices are in range");
    for (int64_t i = 0; i < n; ++i) {
        const int64_t at = indices[i] < 0 ? indices[i] + axis : indices[i];
        checker.expect(dst[i] == data[(i / (count * inner) * axis + at) * data_inner + i % inner], "element %lld",
                       (long long)i);
    }
    if (n > 0) {
        indices[n - 1] = static_cast<Index>(axis);
        checker.expect(kernels.gather_elements(p, 0, n) == n - 1, "element index out of range");
    }
}

void test_nd(const GatherKernels& kernels) {
    const int64_t batch = 2, tuples = 5, slice = 12, dims[] = {3, 4};
    for (int64_t depth : {0, 1, 2}) {
        Random random(depth + 1);
        int64_t slices = 1;
        for (int64_t d = 0; d < depth; ++d) slices *= dims[d];
        Guarded<uint8_t> data(batch * slices * slice), dst(batch * tuples * slice);
        Guarded<int64_t> indices(batch * tuples * depth);
        for (int64_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(random.next());
        for (int64_t i = 0; i < indices.size(); ++i) indices[i] = random.below(2 * dims[i % depth]) - dims[i % depth];
        const GatherNdParams p{data.get(), indices.get(), dst.get(), tuples, depth, {dims[0], dims[1]}, slice, 8};
        checker.expect(kernels.gather_nd(p, 0, 3) == -1 && kernels.gather_nd(p, 3, batch * tuples) == -1,
                       "indices are in range");
        for (int64_t u = 0; u < batch * tuples; ++u) {
            int64_t at = u / tuples;
            for (int64_t d = 0; d < depth; ++d) {
                const int64_t index = indices[u * depth + d];
                at = at * dims[d] + (index < 0 ? index + dims[d] : index);
            }
            checker.expect(memcmp(dst.get() + u * slice, data.get() + at * slice, slice) == 0,
                           "tuple %lld of depth %lld", (long long)u, (long long)depth);
        }
        if (depth > 0) {
            indices[7] = 99;
            checker.expect(kernels.gather_nd(p, 0, batch * tuples) == 7, "tuple index out of range");
        }
    }
}

void test_all(const GatherKernels& kernels) {
    for (int64_t bytes : {0, 1, 2, 3, 4, 8, 12, 63, 64, 65, 3072}) {
        for (int64_t count : {0, 1, 7, 33}) {
            test_slices<int32_t>(kernels, 1, 10, count, bytes);
            test_slices<int64_t>(kernels, 3, 5, count, bytes);
        }
    }
    test_elements<uint8_t, int32_t>(kernels, 4, 3, 5, 5);
    test_elements<uint16_t, int64_t>(kernels, 4, 9, 1, 1);
    test_elements<uint32_t, int32_t>(kernels, 7, 3, 4, 6);
    test_elements<uint64_t, int64_t>(kernels, 2, 0, 3, 3);
    test_elements<uint64_t, int64_t>(kernels, 2, 6, 17, 17);
    test_nd(kernels);
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "gather.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
