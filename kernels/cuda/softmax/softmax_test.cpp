// softmax_plan and its kernels under the SIMT shim against a double reference.
#include "softmax/softmax.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(5);

struct Case {
    int64_t outer, axis, inner = 1;
    double scale = 1.0, deviation = 3.0;
    int64_t x_misalignment = 0, y_misalignment = 0;  // in elements
    bool special = false, in_place = false;
    int64_t multiprocessors = 132;
};

void reference(const std::vector<double>& v, bool log, std::vector<double>& y) {
    double largest = -INFINITY, rest = 0;
    size_t at = 0;
    bool nan = false;
    for (size_t i = 0; i < v.size(); i++) {
        if (v[i] > largest) largest = v[i], at = i;
        nan = nan || std::isnan(v[i]);
    }
    for (size_t i = 0; i < v.size(); i++) rest += i == at ? 0 : std::exp(v[i] - largest);
    y.resize(v.size());
    for (size_t i = 0; i < v.size(); i++) {
        y[i] = log ? v[i] - largest - std::log1p(rest) : std::exp(v[i] - largest) / (1 + rest);
        if (nan || !std::isfinite(largest)) y[i] = NAN;
    }
}

template <class T, class Y>
void check(const Case& c, bool log) {
    char text[200];
    std::snprintf(text, sizeof text, "softmax%s type %d to %d, [%d, %d, %d] scale %g misaligned by %d, %d%s%s",
                  log ? " log" : "", (int)type_code<T>(), (int)type_code<Y>(), (int)c.outer, (int)c.axis, (int)c.inner,
                  c.scale, (int)c.x_misalignment, (int)c.y_misalignment, c.special ? " special" : "",
                  c.in_place ? " in place" : "");
    where = text;
    int64_t size = c.outer * c.axis * c.inner;
    Buffer<T> x(size, c.x_misalignment);
    Buffer<Y> y(size, c.y_misalignment);
    fill(x, rng, c.deviation, false);
    auto at = [&](int64_t o, int64_t a, int64_t i) { return (o * c.axis + a) * c.inner + i; };
    if (c.special) {
        const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 6e4f, -6e4f};
        for (int64_t row = 0; row < c.outer * c.inner; row++) {
            int64_t o = row / c.inner, i = row % c.inner;
            if (row % 5 == 4) {
                for (int64_t a = 0; a < c.axis; a++) x[at(o, a, i)] = from_float<T>(-INFINITY);
            } else if (row % 5 != 0) {
                for (int n = 0; n < 3; n++)
                    x[at(o, static_cast<int64_t>(rng()) % c.axis, i)] = from_float<T>(specials[rng() % 7]);
            }
            if (row % 7 == 0) x[at(o, static_cast<int64_t>(rng()) % c.axis, i)] = from_float<T>(100.0f);
        }
    }
    std::vector<double> copy(static_cast<size_t>(size));
    for (int64_t i = 0; i < size; i++) copy[static_cast<size_t>(i)] = to_float(x[i]);

    tenon_cuda_softmax args{};
    args.x = x.data();
    args.y = c.in_place ? static_cast<void*>(x.data()) : y.data();
    args.kind = log ? TENON_CUDA_SOFTMAX_LOG : TENON_CUDA_SOFTMAX;
    args.type = type_code<T>();
    args.y_type = type_code<Y>();
    args.outer = c.outer;
    args.axis = c.axis;
    args.inner = c.inner;
    args.scale = c.scale;
    tenon_cuda_device device = hopper();
    device.multiprocessors = c.multiprocessors;
    static tenon_cuda_plan plan;
    if (tenon_cuda_softmax_plan(&args, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
    Buffer<unsigned char> workspace(plan.workspace_bytes);
    args.workspace = workspace.data();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_softmax_plan(&args, &device, p); }, rng());

    std::vector<double> v(static_cast<size_t>(c.axis)), want;
    const Y* result = c.in_place ? reinterpret_cast<const Y*>(x.data()) : y.data();
    for (int64_t o = 0; o < c.outer; o++) {
        for (int64_t i = 0; i < c.inner; i++) {
            for (int64_t a = 0; a < c.axis; a++) {
                // The kernels round the product to fp32.
                v[static_cast<size_t>(a)] = copy[static_cast<size_t>(at(o, a, i))] * static_cast<float>(c.scale);
            }
            reference(v, log, want);
            for (int64_t a = 0; a < c.axis; a++) {
                double got = to_float(result[at(o, a, i)]), w = want[static_cast<size_t>(a)];
                if (std::is_same_v<Y, f16> && w < -65520) w = -INFINITY;  // as rounding does
                // The exponent's rounding: for fp32 the difference to the maximum, else the value itself too.
                double magnitude = std::fabs(v[static_cast<size_t>(a)]) + (log ? 0 : std::fabs(std::log(w + 1e-300)));
                double relative = log ? 5e-7 : 6e-7 + 1.5e-7 * std::fmin(magnitude, 200);
                double absolute = log && (std::fabs(w) > 0.1 || !std::is_same_v<T, float>) ? 2e-7 * magnitude : 0;
                absolute += std::is_same_v<Y, f16> ? 6e-8 : 1.2e-38;  // subnormals, which are flushed to 0 in fp32
                if (!close(got, w, 1.01 * epsilon<Y>() + relative, absolute)) {
                    return fail("y[%lld, %lld, %lld] is %.9g; expected %.9g", (long long)o, (long long)a, (long long)i,
                                got, w);
                }
            }
        }
    }
}

// Masks are made of the lowest finite number: a row of nothing else is even, and it is nothing beside other numbers.
template <class T>
void check_lowest() {
    const float lowest = (std::is_same_v<T, bf16>)  ? -0x1.fep127f
                         : (std::is_same_v<T, f16>) ? -65504.0f
                                                    : -0x1.fffffep127f;
    for (int64_t axis : {24, 600, 9000}) {
        for (int64_t inner : {1, 4}) {
            for (bool log : {false, true}) {
                where = "softmax of the lowest number, type " + std::to_string(type_code<T>());
                Buffer<T> x(2 * axis * inner);
                Buffer<float> y(x.size());
                for (int64_t i = 0; i < x.size(); i++) {
                    x[i] = from_float<T>(i / inner < axis || i / inner % 2 == 0 ? lowest : 1.0f);
                }
                tenon_cuda_softmax args{};
                args.x = x.data();
                args.y = y.data();
                args.kind = log ? TENON_CUDA_SOFTMAX_LOG : TENON_CUDA_SOFTMAX;
                args.type = type_code<T>();
                args.y_type = TENON_CUDA_F32;
                args.outer = 2;
                args.axis = axis;
                args.inner = inner;
                args.scale = 1.0;
                tenon_cuda_device device = hopper();
                run([&](tenon_cuda_plan* p) { return tenon_cuda_softmax_plan(&args, &device, p); }, rng());
                for (int64_t i = 0; i < x.size(); i++) {
                    bool first = i / inner < axis, hidden = !first && i / inner % 2 == 0;
                    double want = 1.0 / static_cast<double>(first ? axis : axis / 2);
                    bool good = hidden ? (log ? y[i] < -6e4f : y[i] == 0.0f)
                                       : close(y[i], log ? std::log(want) : want, 2e-6, 0);
                    if (!good) return fail("y[%lld] is %g", (long long)i, y[i]);
                }
            }
        }
    }
}

template <class T, class Y>
void check_pair() {
    constexpr int64_t v = 16 / sizeof(T);
    for (bool log : {false, true}) {
        auto both = [&](const Case& c) { check<T, Y>(c, log); };
        for (int64_t axis : {int64_t{1}, v - 1, v, v + 1, int64_t{33}, 31 * v, int64_t{1000 - v}}) both({70, axis});
        both({9, 67, 1, 0.3});
        both({40, 2 * v, 1, 1.0, 3.0, 1, 1});
        both({3, 250, 1, 1.0, 3.0, 3, 3});
        both({3, 250, 1, 2.0, 3.0, 3, 1});
        both({0, 8});
        both({2, 1025});
        both({2, 8 * 256, 1, 0.125, 20.0});
        both({1, 8192 - v});
        both({1, 8193, 1, 1.0, 3.0, 1, 1});
        both({2, 9000, 1, 1.0, 3.0, 0, 0, false, false, 1});
        both({1, 40000, 1, 1.0, 3.0, 0, 0, false, false, 4});
        both({1, 40001, 1, 1.0, 3.0, 1, 0, true, false, 4});
        both({40, 21, 1, 1.0, 3.0, 0, 0, true});
        both({12, 700, 1, 1.0, 3.0, 0, 0, true});
        both({9, 1100, 1, 1.0, 3.0, 0, 0, true});
        both({5, 8300, 1, 1.0, 3.0, 0, 0, true, false, 1});
        for (int64_t inner : {2, 3, 4, 33, 132, 260}) both({2, 21, inner});
        both({1, 300, 4, 0.5});
        both({1, 301, 7, 1.0, 3.0, 1, 1, true});
        both({3, 19, 8, 1.0, 3.0, 0, 0, true});
        both({2, 5, 1028, 1.0, 3.0, 0, 1});
        if constexpr (std::is_same_v<T, Y>) {
            both({20, 130, 1, 1.0, 3.0, 1, 1, false, true});
            both({1, 9001, 1, 1.0, 3.0, 0, 0, false, true, 1});
            both({1, 40000, 1, 1.0, 3.0, 0, 0, false, true, 4});
            both({2, 50, 12, 1.0, 3.0, 0, 0, false, true});
        }
    }
}

// Far below the others, and alone far above them: the logarithm of the largest keeps its relative accuracy.
void check_tiny_logarithm() {
    where = "softmax log close to 0";
    for (int64_t inner : {1, 2}) {
        for (int64_t axis : {64, 2000, 9000}) {
            Buffer<float> x(axis * inner), y(axis * inner);
            for (int64_t i = 0; i < axis * inner; i++) x[i] = i / inner == 5 ? 30.0f : 0.0f;
            tenon_cuda_softmax a{};
            a.x = x.data();
            a.y = y.data();
            a.kind = TENON_CUDA_SOFTMAX_LOG;
            a.type = a.y_type = TENON_CUDA_F32;
            a.outer = 1;
            a.axis = axis;
            a.inner = inner;
            a.scale = 1;
            tenon_cuda_device device = hopper();
            run([&](tenon_cuda_plan* plan) { return tenon_cuda_softmax_plan(&a, &device, plan); }, 3);
            double want = -std::log1p(static_cast<double>(axis - 1) * std::exp(-30.0));
            if (!close(y[5 * inner], want, 1e-6, 0)) fail("axis %d: %g; expected %g", (int)axis, y[5 * inner], want);
        }
    }
}

void check_refusals() {
    where = "softmax refusals";
    Buffer<float> x(64), y(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_softmax a{};
        a.x = x.data();
        a.y = y.data();
        a.type = a.y_type = TENON_CUDA_F32;
        a.outer = 4;
        a.axis = 16;
        a.inner = 1;
        a.scale = 1;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_softmax_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "kind is 2", [](auto& a) { a.kind = 2; });
    refused(unsupported, "type 7", [](auto& a) { a.type = 7; });
    refused(unsupported, "y_type 10", [](auto& a) { a.y_type = TENON_CUDA_F16; });
    refused(invalid, "scale is 0", [](auto& a) { a.scale = 0; });
    refused(invalid, "scale is -1", [](auto& a) { a.scale = -1; });
    refused(invalid, "scale is", [](auto& a) { a.scale = NAN; });
    refused(invalid, "scale is inf", [](auto& a) { a.scale = INFINITY; });
    refused(invalid, "outer is -1", [](auto& a) { a.outer = -1; });
    refused(invalid, "axis is -2", [](auto& a) { a.axis = -2; });
    refused(invalid, "inner is -3", [](auto& a) { a.inner = -3; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
    refused(unsupported, "axis is 2147467265", [](auto& a) { a.axis = 2147467265; });
    refused(unsupported, "outer is 2147483648", [](auto& a) { a.outer = int64_t{1} << 31; });
    refused(unsupported, "outer * inner", [](auto& a) { a.outer = int64_t{1} << 31, a.inner = 2; });
    refused(unsupported, "y has more than 2^40 bytes", [](auto& a) { a.inner = INT64_MAX; });
}

}  // namespace

int main() {
    check_lowest<float>();
    check_lowest<f16>();
    check_lowest<bf16>();
    check_pair<float, float>();
    check_pair<f16, f16>();
    check_pair<bf16, bf16>();
    check_pair<bf16, float>();
    check_tiny_logarithm();
    check_refusals();
    return result("tenon_softmax_");
}
