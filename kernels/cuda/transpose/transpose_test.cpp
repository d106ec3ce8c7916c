// transpose_plan and its kernels under the SIMT shim against a plain loop.
#include "transpose/transpose.h"

#include <algorithm>

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);

struct Case {
    std::vector<int64_t> dims;  // of x, before the permutation
    std::vector<int64_t> perm;
    std::vector<int64_t> x_padding = {};  // widens x's stride of axis k by that many elements
    int64_t x_misalignment = 0, y_misalignment = 0;
    std::string kernel = "";  // that the plan must choose
};

std::string name_of(const Case& c, size_t bytes) {
    std::string s = std::string("transpose ") + std::to_string(bytes) + " bytes";
    for (int64_t d : c.dims) s.append(" ").append(std::to_string(d));
    s += " by";
    for (int64_t p : c.perm) s.append(" ").append(std::to_string(p));
    return s + (c.x_padding.empty() ? "" : " padded") + " misaligned by " + std::to_string(c.x_misalignment) + ", " +
           std::to_string(c.y_misalignment);
}

template <class T>
void check(const Case& c) {
    where = name_of(c, sizeof(T));
    size_t rank = c.dims.size();
    std::vector<int64_t> strides(rank);
    int64_t x_size = 1, n = 1;
    for (size_t k = rank; k-- > 0;) {
        strides[k] = x_size;
        x_size = x_size * c.dims[k] + (c.x_padding.empty() ? 0 : c.x_padding[k]);
        n *= c.dims[k];
    }
    Buffer<T> x(n == 0 ? 0 : x_size, c.x_misalignment), y(n, c.y_misalignment);
    for (int64_t i = 0; i < x.size(); i++) x[i] = static_cast<T>(rng() * 0x9e3779b97f4a7c15u >> 7);

    tenon_cuda_transpose a{};
    a.x = x.data();
    a.y = y.data();
    a.element_bytes = sizeof(T);
    a.rank = static_cast<int64_t>(rank);
    for (size_t k = 0; k < rank; k++) {
        a.dims[k] = c.dims[static_cast<size_t>(c.perm[k])];
        a.x_strides[k] = strides[static_cast<size_t>(c.perm[k])];
    }
    tenon_cuda_device device = hopper();
    run(
        [&](tenon_cuda_plan* plan) {
            int32_t status = tenon_cuda_transpose_plan(&a, &device, plan);
            if (n == 0 && plan->launch_count != 0) fail("launches for an empty array");
            if (!c.kernel.empty() && c.kernel != plan->launches[0].kernel) {
                fail("runs %s; expected %s", plan->launches[0].kernel, c.kernel.c_str());
            }
            return status;
        },
        rng());
    std::vector<int64_t> at(rank, 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = 0;
        for (size_t k = 0; k < rank; k++) from += at[k] * a.x_strides[k];
        if (y[i] != x[from]) {
            return fail("y[%lld] is %llx; expected %llx", (long long)i, (unsigned long long)y[i],
                        (unsigned long long)x[from]);
        }
        for (size_t k = rank; k-- > 0 && ++at[k] == a.dims[k];) at[k] = 0;
    }
}

template <class T>
void check_type() {
    constexpr int64_t e = sizeof(T), v = 16 / e;
    const std::string gather = "tenon_transpose_gather_",
                      tile = std::string("tenon_transpose_tile_") + std::to_string(e),
                      any = std::string("tenon_transpose_tile_any_") + std::to_string(e), own = std::to_string(e);
    // Planes around a tile's size, 16-byte accesses and not.
    const int64_t t = 128 / e;
    check<T>({{2 * t, 3 * t}, {1, 0}, {}, 0, 0, tile});
    check<T>({{t + v, t - v}, {1, 0}, {}, 0, 0, tile});
    check<T>({{v, v}, {1, 0}, {}, 0, 0, gather + own});
    check<T>({{2 * t, 4 * v}, {1, 0}, {}, 0, 0, tile});
    check<T>({{t + 1, 2 * t - 1}, {1, 0}, {}, 0, 0, any});
    check<T>({{t - 1, t + 3}, {1, 0}, {}, 0, 0, any});
    check<T>({{2 * t, t}, {1, 0}, {}, 1, 0, any});
    check<T>({{2 * t, t}, {1, 0}, {}, 0, 1, any});
    check<T>({{t + 4, t + 12}, {1, 0}, {}, 4, 4, e == 4 || e == 8 ? tile : any});
    check<T>({{t, t + 5}, {1, 0}, {0, v}, 0, 0, any});
    check<T>({{t, 4 * v}, {1, 0}, {0, 2 * v}, 0, 0, tile});
    // Planes in other axes: NCHW to NHWC and back, swaps with the inner axis kept, all axes reversed.
    check<T>({{3, t, 5, 4 * v}, {0, 2, 3, 1}, {}, 0, 0, tile});
    check<T>({{2, 7, 7, 3 * v}, {0, 3, 1, 2}, {}, 0, 0, e == 1 ? any : ""});
    check<T>({{2, 5, 3, 4 * v}, {0, 2, 1, 3}, {}, 0, 0, gather + "16"});
    check<T>({{2, 5, 3, 4 * v}, {0, 2, 1, 3}, {0, 0, 0, v}, 0, 0, gather + "16"});
    check<T>({{2, 5, 3, 4 * v}, {0, 2, 1, 3}, {}, 1, 0, gather + own});
    check<T>({{2, 5, 3, 2 * v + 1}, {2, 0, 1, 3}, {}, 0, 0, gather + own});
    check<T>({{5 * v, 2, 3, t}, {3, 2, 1, 0}, {}, 0, 0, tile});
    check<T>({{2, 3, 2 * v, 4, 2, 3 * v}, {4, 0, 5, 3, 1, 2}});
    check<T>({{2, 3, 2, 2, 3, 2, 3, 2}, {7, 2, 5, 0, 3, 6, 1, 4}, {}, 0, 0, gather + own});
    check<T>({{2, 1, 40, 1, 3}, {3, 4, 1, 2, 0}});
    check<T>({{100, 3}, {1, 0}, {}, 0, 0, gather + own});
    // Copies.
    check<T>({{}, {}, {}, 0, 0, gather + own});
    check<T>({{1, 1}, {1, 0}, {}, 0, 0, gather + own});
    check<T>({{7, 300}, {0, 1}, {}, 0, 0, gather + "16"});
    check<T>({{7, 301}, {0, 1}, {}, 1, 1});
    check<T>({{5, 2, 33}, {0, 1, 2}, {}, 0, 1});
    check<T>({{2, 1030 * v}, {0, 1}, {0, v}, 0, 0, gather + "16"});
    check<T>({{3, 2 * v}, {0, 1}, {0, 2}, 0, 0});
    check<T>({{0, 5}, {1, 0}});
    check<T>({{3, 0, 2}, {2, 1, 0}});
    // Expansion: stride 0.
    where = "transpose expansion of " + own;
    Buffer<T> x(v), y(3 * v * 5);
    for (int64_t i = 0; i < v; i++) x[i] = static_cast<T>(rng());
    tenon_cuda_transpose a{x.data(), y.data(), e, 3, {3, v, 5}, {0, 1, 0}};
    tenon_cuda_device device = hopper();
    run([&](tenon_cuda_plan* plan) { return tenon_cuda_transpose_plan(&a, &device, plan); }, 3);
    for (int64_t i = 0; i < y.size(); i++) {
        if (y[i] != x[i / 5 % v]) return fail("y[%lld] is wrong", (long long)i);
    }
}

// Random shapes and permutations, among them ones that choose 4-byte accesses to 1- and 2-byte elements.
template <class T>
void check_random(int count) {
    for (int i = 0; i < count; i++) {
        Case c;
        size_t rank = 1 + rng() % 5;
        const int64_t sizes[] = {1, 2, 3, 4, 8, 12, 16, 17, 20, 36};
        int64_t n = 1;
        for (size_t k = 0; k < rank; k++) {
            int64_t size = sizes[rng() % 10];
            if (n * size > 20000) size = 1 + static_cast<int64_t>(rng() % 2);
            n *= size;
            c.dims.push_back(size);
            c.perm.push_back(static_cast<int64_t>(k));
            c.x_padding.push_back(rng() % 4 == 0 ? 4 * static_cast<int64_t>(rng() % 3) : 0);
        }
        std::shuffle(c.perm.begin(), c.perm.end(), rng);
        c.x_misalignment = rng() % 2 * 4;
        c.y_misalignment = rng() % 2 * 4;
        check<T>(c);
    }
}

void check_refusals() {
    where = "transpose refusals";
    Buffer<float> x(64), y(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_transpose a{x.data(), y.data(), 4, 2, {8, 8}, {1, 8}};
        change(a);
        expect_refused(status, text,
                       [&](tenon_cuda_plan* plan) { return tenon_cuda_transpose_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "element_bytes is 3", [](auto& a) { a.element_bytes = 3; });
    refused(invalid, "rank is 9", [](auto& a) { a.rank = 9; });
    refused(invalid, "rank is -1", [](auto& a) { a.rank = -1; });
    refused(invalid, "dims[1] is -8", [](auto& a) { a.dims[1] = -8; });
    refused(invalid, "x_strides[0] is -1", [](auto& a) { a.x_strides[0] = -1; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.dims[0] = int64_t{1} << 40; });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.dims[0] = int64_t{1} << 62; });
    refused(unsupported, "x_strides[1] is 4611686018427387904", [](auto& a) { a.x_strides[1] = int64_t{1} << 62; });
}

// 2^31 elements and more take 64-bit divisions; the plan alone is checked, and the walk on a small array.
void check_wide() {
    where = "transpose wide";
    Buffer<uint8_t> x(6 * 10), y(6 * 10);
    for (int64_t i = 0; i < x.size(); i++) x[i] = static_cast<uint8_t>(i);
    tenon_cuda_device device = hopper();
    tenon_cuda_transpose a{x.data(), y.data(), 1, 3, {2, 3, 10}, {30, 1, 3}};
    static tenon_cuda_plan plan;
    if (tenon_cuda_transpose_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("%s", plan.message);
    // GatherParams: x, y, n, then the walk's rank and its flag.
    int32_t wide = 1;
    std::memcpy(plan.launches[0].params + 28, &wide, 4);
    simt::execute(plan, 1);
    for (int64_t i = 0; i < y.size(); i++) {
        if (y[i] != i / 30 * 30 + i / 10 % 3 + i % 10 * 3) return fail("y[%lld] is %d", (long long)i, y[i]);
    }
    tenon_cuda_transpose large{x.data(), y.data(), 1, 3, {2, 3, int64_t{1} << 30}, {int64_t{3} << 30, 1, 3}};
    if (tenon_cuda_transpose_plan(&large, &device, &plan) != TENON_CUDA_OK) return fail("%s", plan.message);
    std::memcpy(&wide, plan.launches[0].params + 28, 4);
    if (wide != 1) fail("3 * 2^31 elements do not make the walk wide");
}

}  // namespace

int main() {
    check_type<uint8_t>();
    check_type<uint16_t>();
    check_type<uint32_t>();
    check_type<uint64_t>();
    check_random<uint8_t>(40);
    check_random<uint16_t>(40);
    check_random<uint32_t>(15);
    check_random<uint64_t>(15);
    check_refusals();
    check_wide();
    return result();
}
