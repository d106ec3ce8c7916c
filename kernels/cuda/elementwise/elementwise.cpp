#include "elementwise/elementwise.h"

#include "common/planner.h"

namespace {

struct Example {
    const char* name;
    const char* kernel;
    int64_t grid, block;
    int64_t addresses[5];  // where the parameters hold x0 to x3 and y, in bytes; -1: not at all
    int64_t words;
    uint64_t params[32];
};

#define EXAMPLE(name, kernel, grid, block, addresses, words, params) \
    Example{name, kernel, grid, block, addresses, words, params},
#define LIST(...) \
    { __VA_ARGS__ }
constexpr Example kExamples[] = {
#include "elementwise/examples.inc"
};

}  // namespace

int32_t tenon_cuda_elementwise_plan(const tenon_cuda_elementwise* args, const tenon_cuda_device*,
                                    tenon_cuda_plan* plan) {
    tenon::cuda::Planner planner(plan);
    constexpr int64_t count = sizeof kExamples / sizeof kExamples[0];
    if (args->example < 0 || args->example >= count) {
        return planner.invalid("example is %lld; expected 0 to %lld", static_cast<long long>(args->example),
                               static_cast<long long>(count - 1));
    }
    const Example& example = kExamples[args->example];
    const void* addresses[] = {args->x0, args->x1, args->x2, args->x3, args->y};
    auto& launch = planner.launch(example.kernel, {example.grid}, example.block, 0, example.params);
    launch.params_bytes = example.words * int64_t{sizeof(uint64_t)};
    for (int i = 0; i < 5; i++) {
        if (example.addresses[i] < 0) continue;
        if (!addresses[i] || !tenon::cuda::aligned(addresses[i], 16)) {
            return planner.invalid("%s is %p; expected an address that is a multiple of 16", i < 4 ? "an input" : "y",
                                   addresses[i]);
        }
        std::memcpy(launch.params + example.addresses[i], &addresses[i], sizeof addresses[i]);
    }
    return planner.done();
}
