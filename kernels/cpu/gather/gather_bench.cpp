// How far is the gathering of embedding rows from a plain copy?
#include "../common/test_support.h"
#include "gather.h"

int main() {
    using namespace tenon::cpu;
    for (int64_t slice_bytes : {4, 64, 3072}) {
        const int64_t axis = 30000, count = 4096;
        std::vector<char> data(axis * slice_bytes, 1), dst(count * slice_bytes);
        std::vector<int64_t> indices(count);
        test::Random random(1);
        for (int64_t& index : indices) index = random.below(axis);
        const double rate = test::memcpy_rate(count * slice_bytes);
        const GatherParams p{data.data(), indices.data(), dst.data(), axis, count, slice_bytes, 8};
#define TENON_KERNEL(isa, name)                                                                              \
    if (Isa::isa <= best_isa()) {                                                                            \
        const double s = test::best_seconds([&] { isa::name.gather(p, 0, count); });                         \
        printf("gather %lld of %lld bytes %-7s %9.2f us %5.2f ns/slice %5.2f of memcpy\n", (long long)count, \
               (long long)slice_bytes, #isa, s * 1e6, s * 1e9 / static_cast<double>(count),                  \
               2 * static_cast<double>(count * slice_bytes) / s / rate);                                     \
    }
#include "gather.inc"
#undef TENON_KERNEL
    }
    return 0;
}
