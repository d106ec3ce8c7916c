// topk_plan and its kernels under the SIMT shim against sorting.
#include "topk/topk.h"

#include <algorithm>
#include <numeric>

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(13);

enum Fill { kNormal, kTies, kEqual, kRising, kFalling, kSpecial, kOneLane };

struct Case {
    int64_t rows, n, k;
    Fill fill = kNormal;
    int64_t misalignment = 0, padding = 0;
    bool values = true;
};

template <class T>
void check(const Case& c, bool largest) {
    char text[200];
    std::snprintf(text, sizeof text, "topk type %d %s rows %d n %d k %d fill %d misaligned by %d padding %d",
                  (int)type_code<T>(), largest ? "largest" : "smallest", (int)c.rows, (int)c.n, (int)c.k, c.fill,
                  (int)c.misalignment, (int)c.padding);
    where = text;
    const int64_t stride = c.n + c.padding;
    Buffer<T> x(c.rows == 0 ? 0 : (c.rows - 1) * stride + c.n, c.misalignment);
    Buffer<T> values(c.rows * c.k, c.misalignment);
    Buffer<int64_t> indices(c.rows * c.k);
    fill(x, rng, 1.0, c.fill == kSpecial);
    for (int64_t i = 0; i < x.size(); i++) {
        float v = to_float(x[i]), place = static_cast<float>(i % stride) / 8192;
        if (c.fill == kTies) v = std::rint(2 * v);
        if (c.fill == kEqual) v = -1.5f;
        if (c.fill == kRising) v = place;
        if (c.fill == kFalling) v = -place;
        if (c.fill == kOneLane && i % stride / 8 % 256 == 7) v += 100.0f;
        if (c.fill == kSpecial && rng() % 4 == 0) v = rng() % 2 ? -0.0f : 0.0f;
        x[i] = from_float<T>(v);
    }
    tenon_cuda_topk args{};
    args.x = x.data();
    args.values = c.values ? values.data() : nullptr;
    args.indices = indices.data();
    args.type = type_code<T>();
    args.largest = largest;
    args.rows = c.rows;
    args.n = c.n;
    args.k = c.k;
    args.x_stride = stride;
    tenon_cuda_device device = hopper();
    static tenon_cuda_plan plan;
    if (tenon_cuda_topk_plan(&args, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
    Buffer<unsigned char> workspace(plan.workspace_bytes);
    args.workspace = workspace.data();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_topk_plan(&args, &device, p); }, rng());

    std::vector<int64_t> order(static_cast<size_t>(c.n));
    for (int64_t r = 0; r < c.rows; r++) {
        const T* row = x.data() + r * stride;
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
            float u = to_float(row[a]), v = to_float(row[b]);
            if (!largest) std::swap(u, v);
            return std::isnan(u) || std::isnan(v) ? std::isnan(u) && !std::isnan(v) : u > v;
        });
        for (int64_t j = 0; j < c.k; j++) {
            int64_t want = order[static_cast<size_t>(j)], got = indices[r * c.k + j];
            if (got != want) {
                return fail("indices[%lld, %lld] is %lld; expected %lld", (long long)r, (long long)j, (long long)got,
                            (long long)want);
            }
            if (c.values && std::memcmp(&values[r * c.k + j], &row[want], sizeof(T)) != 0) {
                return fail("values[%lld, %lld] is %g; expected %g", (long long)r, (long long)j,
                            to_float(values[r * c.k + j]), to_float(row[want]));
            }
        }
    }
}

template <class T>
void check_type() {
    for (bool largest : {true, false}) {
        auto both = [&](const Case& c) { check<T>(c, largest); };
        for (int64_t n : {1, 7, 32, 33, 64, 255, 256}) both({5, n, std::min<int64_t>(n, 8)});
        both({9, 64, 32, kTies});
        both({9, 200, 6, kSpecial, 1, 3});
        both({0, 64, 3});
        both({2, 64, 0});
        both({2, 257, 5, kNormal, 3, 2, false});
        both({2, 40, 40, kTies, 1, 1});
        both({1, 8191, 50, kSpecial, 1, 0});
        both({1, 4000, 100, kEqual});
        both({1, 8192, 20, kRising});
        both({1, 8000, 300, kOneLane});
        both({2, 20000, 40, largest ? kNormal : kTies, 1, 1});
        both({1, 9000, 100, largest ? kOneLane : kFalling});
        both({1, 17000, 1024, largest ? kSpecial : kTies});
    }
    check<T>({1, 75000, 600, kTies, 1}, true);
    // Sorts: one run, a few, more than are searched together; all of a row or the first of each run.
    check<T>({2, 2048, 2048, kSpecial, 1, 1}, true);
    check<T>({1, 1500, 1025, kTies}, false);
    check<T>({2, 2049, 2049, kFalling, 0, 3, false}, true);
    check<T>({2, 5000, 5000, kSpecial, 1, 1}, false);
    check<T>({2, 7001, 1030, kNormal}, true);
    check<T>({1, 20000, 20000, kTies}, true);
    check<T>({1, 20000, 3000, kEqual}, false);
}

void check_refusals() {
    where = "topk refusals";
    Buffer<float> x(64), values(64);
    Buffer<int64_t> indices(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_topk a{};
        a.x = x.data();
        a.values = values.data();
        a.indices = indices.data();
        a.type = TENON_CUDA_F32;
        a.largest = 1;
        a.rows = 2;
        a.n = a.x_stride = 20;
        a.k = 5;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_topk_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(unsupported, "type 7", [](auto& a) { a.type = TENON_CUDA_I64; });
    refused(invalid, "rows is -1", [](auto& a) { a.rows = -1; });
    refused(invalid, "k is -1", [](auto& a) { a.k = -1; });
    refused(invalid, "k is 21", [](auto& a) { a.k = 21; });
    refused(unsupported, "k is 1025 of n 1048577", [](auto& a) { a.n = a.x_stride = 1048577, a.k = 1025; });
    refused(unsupported, "rows * n is too large", [](auto& a) {
        a.type = TENON_CUDA_F16;
        a.rows = 1 << 26;
        a.n = a.k = a.x_stride = 8192;
    });
    refused(unsupported, "n is 2147467265", [](auto& a) { a.n = a.x_stride = 2147467265; });
    refused(unsupported, "n is 2000000000; too large", [](auto& a) { a.n = a.x_stride = 2000000000, a.k = 1000; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "indices is null", [](auto& a) { a.indices = nullptr; });
    refused(invalid, "x_stride is 19", [](auto& a) { a.x_stride = 19; });
    refused(unsupported, "x spans more than 2^40 bytes", [](auto& a) { a.x_stride = INT64_MAX; });
}

}  // namespace

int main() {
    check_type<float>();
    check_type<f16>();
    check_type<bf16>();
    check_refusals();
    return result("tenon_topk_");
}
