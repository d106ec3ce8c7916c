// copy_plan and concat_plan and their kernels under the SIMT shim against plain loops.
#include "copy/copy.h"

#include <algorithm>
#include <memory>

#include "copy/copy_params.h"
#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(23);

template <class T>
void fill_bits(Buffer<T>& b) {
    for (int64_t i = 0; i < b.size(); i++) b[i] = static_cast<T>(rng() * 0x9e3779b97f4a7c15u >> 7);
}

struct Case {
    int64_t mode;
    std::vector<int64_t> x_dims, starts, steps, dims;
    int64_t x_misalignment = 0, y_misalignment = 0;
    int64_t unit_bytes = 0;  // that the plan must choose; 0: any
};

// The definition, step by step: walk from n - 1 back and forth, or round.
int64_t source(int64_t mode, int64_t j, int64_t n) {
    while (j < 0 || j >= n) {
        if (mode == TENON_CUDA_COPY_CONSTANT) return -1;
        if (mode == TENON_CUDA_COPY_EDGE) j = j < 0 ? 0 : n - 1;
        if (mode == TENON_CUDA_COPY_WRAP) j += j < 0 ? n : -n;
        if (mode == TENON_CUDA_COPY_REFLECT) j = n == 1 ? 0 : j < 0 ? -j : 2 * (n - 1) - j;
    }
    return j;
}

template <class T>
void check(const Case& c, bool force_wide = false) {
    size_t rank = c.dims.size();
    where = std::string("copy mode ") + std::to_string(c.mode) + " of " + std::to_string(sizeof(T)) + " bytes";
    for (size_t k = 0; k < rank; k++) {
        where += std::string(" ") + std::to_string(c.x_dims[k]) + "[" + std::to_string(c.starts[k]) + "+" +
                 std::to_string(c.dims[k]) + "*" + std::to_string(c.steps[k]) + "]";
    }
    where +=
        std::string(" misaligned by ") + std::to_string(c.x_misalignment) + ", " + std::to_string(c.y_misalignment);
    int64_t x_size = 1, n = 1;
    for (size_t k = 0; k < rank; k++) {
        x_size *= c.x_dims[k];
        n *= c.dims[k];
    }
    Buffer<T> x(x_size, c.x_misalignment), y(n, c.y_misalignment);
    fill_bits(x);
    const T value = static_cast<T>(0xfedcba9876543210u);
    tenon_cuda_copy a{};
    a.x = x.data();
    a.y = y.data();
    a.element_bytes = sizeof(T);
    a.mode = c.mode;
    a.value_bits = static_cast<int64_t>(0xfedcba9876543210u);
    a.rank = static_cast<int64_t>(rank);
    std::copy(c.x_dims.begin(), c.x_dims.end(), a.x_dims);
    std::copy(c.starts.begin(), c.starts.end(), a.starts);
    std::copy(c.steps.begin(), c.steps.end(), a.steps);
    std::copy(c.dims.begin(), c.dims.end(), a.dims);
    tenon_cuda_device device = hopper();
    run(
        [&](tenon_cuda_plan* plan) {
            int32_t status = tenon_cuda_copy_plan(&a, &device, plan);
            if (n == 0 && plan->launch_count != 0) fail("launches for an empty array");
            std::string kernel = plan->launch_count > 0 ? plan->launches[0].kernel : "";
            if (c.unit_bytes && kernel.substr(kernel.rfind('_') + 1) != std::to_string(c.unit_bytes)) {
                fail("runs %s; expected units of %lld", kernel.c_str(), (long long)c.unit_bytes);
            }
            if (force_wide) {
                auto* params = reinterpret_cast<tenon::cuda::CopyParams*>(plan->launches[0].params);
                params->walk.wide = 1;
            }
            return status;
        },
        rng());
    std::vector<int64_t> at(rank, 0);
    for (int64_t i = 0; i < n; i++) {
        int64_t from = 0;
        bool inside = true;
        for (size_t k = 0; k < rank; k++) {
            int64_t s = source(c.mode, c.starts[k] + c.steps[k] * at[k], c.x_dims[k]);
            inside = inside && s >= 0;
            from = from * c.x_dims[k] + s;
        }
        T want = inside ? x[from] : value;
        if (y[i] != want) {
            return fail("y[%lld] is %llx; expected %llx", (long long)i, (unsigned long long)y[i],
                        (unsigned long long)want);
        }
        for (size_t k = rank; k-- > 0 && ++at[k] == c.dims[k];) at[k] = 0;
    }
}

template <class T>
void check_type() {
    constexpr int64_t e = sizeof(T), v = 16 / e;
    const int64_t slice = TENON_CUDA_COPY_SLICE, constant = TENON_CUDA_COPY_CONSTANT;
    check<T>({slice, {6, 4 * v}, {1, 0}, {1, 1}, {3, 4 * v}, 0, 0, 16});
    check<T>({slice, {6, 4 * v}, {1, v}, {1, 1}, {5, 2 * v}, 0, 0, 16});
    check<T>({slice, {6, 4 * v}, {1, 1}, {1, 1}, {5, 2 * v}, 0, 0, e});
    check<T>({slice, {6, 4 * v}, {5, 0}, {-1, 1}, {6, 4 * v}, 0, 0, 16});
    check<T>({slice, {6, 4 * v}, {5, 4 * v - 1}, {-2, -1}, {3, 4 * v}, 0, 0, e});
    check<T>({slice, {600, 7}, {3, 1}, {5, 2}, {100, 3}});
    check<T>({slice, {3, 5, 2 * v}, {0, 4, 0}, {1, 1, 1}, {3, 1, 2 * v}, 0, 0, 16});
    check<T>({slice, {4, 2 * v + 1}, {3, 0}, {1, 1}, {1, 2 * v}, 0, 0, e});
    check<T>({slice, {40, 7, 5}, {0, 0, 4}, {1, 1, 1}, {40, 7, 1}, 0, 0, e});
    check<T>({slice, {9, 33}, {0, 0}, {1, 1}, {9, 33}, 1, 1});
    check<T>({slice, {9, 4 * v}, {0, 0}, {1, 1}, {9, 4 * v}, 1, 0, e});
    check<T>({slice,
              {2, 3, 2, 3, 2, 3, 2, 3},
              {1, 2, 1, 2, 1, 2, 1, 2},
              {-1, -1, -1, -1, -1, -1, -1, -1},
              {2, 3, 2, 3, 2, 3, 2, 3}});
    check<T>({slice, {2, 3, 2, 3}, {0, 1, 0, 1}, {1, 1, 1, 1}, {2, 2, 2, 2}}, true);
    check<T>({slice, {}, {}, {}, {}});
    check<T>({slice, {5, 4}, {0, 0}, {1, 1}, {0, 4}});
    for (int64_t mode :
         {constant, int64_t{TENON_CUDA_COPY_REFLECT}, int64_t{TENON_CUDA_COPY_EDGE}, int64_t{TENON_CUDA_COPY_WRAP}}) {
        bool runs = mode == constant || mode == TENON_CUDA_COPY_WRAP;
        check<T>({mode, {3, 4, 9, 11}, {0, 0, -1, -1}, {1, 1, 1, 1}, {3, 4, 11, 13}});
        check<T>({mode, {3, 4, 2 * v}, {0, -2, 0}, {1, 1, 1}, {3, 9, 2 * v}, 0, 0, 16});
        check<T>({mode, {3, 2 * v}, {-1, -v}, {1, 1}, {5, 4 * v}, 0, 0, runs ? 16 : e});
        check<T>({mode, {4, 5}, {2, 1}, {1, 1}, {1, 3}});    // cuts
        check<T>({mode, {4, 5}, {2, -7}, {1, 1}, {7, 23}});  // more than once round
        check<T>({mode, {1, 2}, {-3, -3}, {1, 1}, {6, 9}});  // periods of 1 and 2
        check<T>({mode, {2, 3, 2, 2}, {-1, 0, -2, 1}, {1, 1, 1, 1}, {4, 3, 5, 4}}, true);
        check<T>({mode, {1200}, {-5}, {1}, {1217}, 1, 1});
        check<T>({mode, {3, 4}, {0, 0}, {1, 1}, {3, 0}});
    }
    check<T>({constant, {0, 4}, {-2, 0}, {1, 1}, {3, 4}});
    check<T>({constant, {3, 4}, {9, 0}, {1, 1}, {3, 4}});  // nothing of x is left
}

template <class T>
void check_random(int count) {
    for (int i = 0; i < count; i++) {
        Case c;
        c.mode = static_cast<int64_t>(rng() % 5);
        size_t rank = 1 + rng() % 4;
        for (size_t k = 0; k < rank; k++) {
            const int64_t sizes[] = {1, 2, 3, 8, 16, 17};
            int64_t x = sizes[rng() % 6], step = 1, start, dim;
            if (rng() % 2) {
                start = 0;
                dim = x;
            } else if (c.mode == TENON_CUDA_COPY_SLICE) {
                step = rng() % 3 ? 1 : static_cast<int64_t>(rng() % 5) - 2;
                if (step == 0) step = 1;
                start = static_cast<int64_t>(rng()) % x;
                start -= start % 4 * (rng() % 2);
                int64_t most = step > 0 ? (x - 1 - start) / step + 1 : start / -step + 1;
                dim = 1 + static_cast<int64_t>(rng()) % most;
            } else {
                start = static_cast<int64_t>(rng() % 33) - 16;
                if (rng() % 2) start -= start % 8;
                dim = static_cast<int64_t>(rng() % 24);
            }
            c.x_dims.push_back(x);
            c.starts.push_back(start);
            c.steps.push_back(step);
            c.dims.push_back(dim);
        }
        c.x_misalignment = static_cast<int64_t>(rng() % 4) * 4;
        c.y_misalignment = static_cast<int64_t>(rng() % 4) * 4;
        check<T>(c);
    }
}

// Both directions; sizes in elements of the axis.
template <class T>
void check_concat(int64_t outer, std::vector<int64_t> sizes, int64_t inner, int64_t misalignment, int64_t launches) {
    int64_t axis = 0, count = static_cast<int64_t>(sizes.size());
    for (int64_t s : sizes) axis += s;
    for (int64_t split : {0, 1}) {
        where = std::string(split ? "split" : "concat") + " of " + std::to_string(sizeof(T)) + " bytes, " +
                std::to_string(outer) + " x " + std::to_string(count) + " parts x " + std::to_string(inner);
        Buffer<T> whole(outer * axis * inner, misalignment);
        std::vector<std::unique_ptr<Buffer<T>>> parts;
        tenon_cuda_concat a{};
        a.whole = whole.data();
        a.count = count;
        a.outer = outer;
        a.inner = inner;
        a.element_bytes = sizeof(T);
        a.split = split;
        for (int64_t i = 0; i < count; i++) {
            a.sizes[i] = sizes[static_cast<size_t>(i)];
            parts.push_back(std::make_unique<Buffer<T>>(outer * a.sizes[i] * inner, misalignment));
            a.parts[i] = a.sizes[i] > 0 ? parts.back()->data() : nullptr;
            if (!split) fill_bits(*parts.back());
        }
        if (split) fill_bits(whole);
        tenon_cuda_device device = hopper();
        run(
            [&](tenon_cuda_plan* plan) {
                int32_t status = tenon_cuda_concat_plan(&a, &device, plan);
                if (plan->launch_count != launches) {
                    fail("%lld launches; expected %lld", (long long)plan->launch_count, (long long)launches);
                }
                return status;
            },
            rng());
        for (int64_t o = 0, at = 0; o < outer; o++) {
            for (int64_t i = 0; i < count; i++) {
                for (int64_t k = 0; k < a.sizes[i] * inner; k++, at++) {
                    if ((*parts[static_cast<size_t>(i)])[o * a.sizes[i] * inner + k] != whole[at]) {
                        return fail("part %lld differs at row %lld, element %lld", (long long)i, (long long)o,
                                    (long long)k);
                    }
                }
            }
        }
    }
}

template <class T>
void check_concat_type() {
    constexpr int64_t v = 16 / sizeof(T);
    check_concat<T>(3, {2, 5}, v, 0, 1);
    check_concat<T>(3, {2, 5, 1}, 7, 0, 1);
    check_concat<T>(3, {2 * v, 2 * v + 1, v - 1}, 1, 0, 1);  // aligned and unaligned parts in aligned rows
    check_concat<T>(1, {700, 1, 33, 0, 1100 * v}, 1, 0, 1);
    check_concat<T>(5, {3, 4}, 2 * v, 1, 1);
    check_concat<T>(2, {6}, 3, 0, 1);
    check_concat<T>(0, {6, 3}, 3, 0, 0);
    check_concat<T>(4, {0, 0}, 3, 0, 0);
    check_concat<T>(4, {1, 2}, 0, 0, 0);
    check_concat<T>(4, {}, 3, 0, 0);
    std::vector<int64_t> many;
    for (int i = 0; i < TENON_CUDA_CONCAT_MAX_PARTS; i++) many.push_back(i % 7);
    check_concat<T>(3, many, 5, 0, 4);
    many.resize(21, 1);
    many[20] = 2;
    check_concat<T>(2, many, v, 0, 1);
}

// Parts of 2^31 units take 64-bit divisions: the plan, and the kernel on a small part that claims to be large.
void check_concat_wide() {
    where = "concat wide";
    Buffer<uint8_t> x(1), y(1);
    tenon_cuda_device device = hopper();
    static tenon_cuda_plan plan;
    tenon_cuda_concat a{y.data(), {x.data(), x.data()}, {1, 5}, 2, 3, int64_t{1} << 31, 1, 0};
    if (tenon_cuda_concat_plan(&a, &device, &plan) != TENON_CUDA_OK) return fail("%s", plan.message);
    auto* p = reinterpret_cast<tenon::cuda::ConcatParams*>(plan.launches[0].params);
    if (p->parts[0].n * p->parts[0].unit_bytes != int64_t{3} << 31 || p->parts[1].first_block == 0) {
        fail("the first part has %lld units", (long long)p->parts[0].n);
    }
}

void check_refusals() {
    where = "copy refusals";
    Buffer<float> x(64), y(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_copy a{x.data(), y.data(), 4, TENON_CUDA_COPY_SLICE, 0, 2, {8, 8}, {1, 1}, {1, 1}, {4, 4}};
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_copy_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "element_bytes is 16", [](auto& a) { a.element_bytes = 16; });
    refused(invalid, "mode is 5", [](auto& a) { a.mode = 5; });
    refused(invalid, "rank is 9", [](auto& a) { a.rank = 9; });
    refused(invalid, "dims[1] is -1", [](auto& a) { a.dims[1] = -1; });
    refused(invalid, "x_dims[0] is -1", [](auto& a) { a.x_dims[0] = -1; });
    refused(invalid, "steps[1] is 0", [](auto& a) { a.steps[1] = 0; });
    refused(invalid, "steps[0] is 2; expected 1", [](auto& a) { a.mode = TENON_CUDA_COPY_EDGE, a.steps[0] = 2; });
    refused(invalid, "axis 0: 4 elements from 5", [](auto& a) { a.starts[0] = 5; });
    refused(invalid, "axis 1: 4 elements from -1", [](auto& a) { a.starts[1] = -1; });
    refused(invalid, "in steps of -1", [](auto& a) { a.steps[1] = -1; });
    refused(invalid, "axis 1", [](auto& a) { a.steps[1] = INT64_MAX; });
    refused(invalid, "starts[0]", [](auto& a) { a.starts[0] = INT64_MIN; });
    refused(invalid, "nothing to pad with", [](auto& a) { a.mode = TENON_CUDA_COPY_WRAP, a.x_dims[0] = 0; });
    refused(unsupported, "2^40 bytes", [](auto& a) { a.dims[0] = int64_t{1} << 61; });
    // An empty x, whose strides overflow; a start that overflows in runs of the inner axis.
    refused(unsupported, "2^40 bytes", [](auto& a) {
        a.mode = TENON_CUDA_COPY_CONSTANT, a.rank = 3;
        for (int64_t k = 0; k < 3; k++) a.x_dims[k] = k ? int64_t{1} << 37 : 0, a.dims[k] = a.steps[k] = 1;
    });
    refused(unsupported, "starts[0] is -2199023255552", [](auto& a) {
        a.mode = TENON_CUDA_COPY_CONSTANT;
        a.x_dims[1] = a.dims[1] = int64_t{1} << 30;
        a.starts[0] = -(int64_t{1} << 41), a.starts[1] = 0;
    });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });

    where = "concat refusals";
    auto concat = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_concat a{y.data(), {x.data(), x.data()}, {2, 3}, 2, 2, 2, 4, 0};
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_concat_plan(&a, &device, plan); });
    };
    concat(invalid, "element_bytes is 0", [](auto& a) { a.element_bytes = 0; });
    concat(invalid, "split is 2", [](auto& a) { a.split = 2; });
    concat(invalid, "count is -1", [](auto& a) { a.count = -1; });
    concat(unsupported, "81 parts", [](auto& a) { a.count = 81; });
    concat(invalid, "outer is -1", [](auto& a) { a.outer = -1; });
    concat(invalid, "inner is -1", [](auto& a) { a.inner = -1; });
    concat(invalid, "sizes[1] is -3", [](auto& a) { a.sizes[1] = -3; });
    concat(unsupported, "2^40 bytes", [](auto& a) { a.sizes[0] = a.sizes[1] = INT64_MAX; });
    concat(invalid, "whole is null", [](auto& a) { a.whole = nullptr; });
    concat(invalid, "parts[1] is null", [](auto& a) { a.parts[1] = nullptr; });
}

}  // namespace

int main() {
    check_type<uint8_t>();
    check_type<uint16_t>();
    check_type<uint32_t>();
    check_type<uint64_t>();
    check_random<uint8_t>(100);
    check_random<uint16_t>(100);
    check_random<uint32_t>(50);
    check_concat_type<uint8_t>();
    check_concat_type<uint16_t>();
    check_concat_type<uint32_t>();
    check_concat_type<uint64_t>();
    check_concat_wide();
    check_refusals();
    return result();
}
