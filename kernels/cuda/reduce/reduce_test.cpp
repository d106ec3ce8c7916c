// reduce_plan and its kernels under the SIMT shim against a double reference.
#include "reduce/reduce.h"

#include "simt/test_support.h"

using namespace simt_test;

namespace {

std::mt19937 rng(11);

struct Case {
    int64_t outer, axis, inner = 1;
    int64_t misalignment = 0;
    bool special = false, ties = false;
    int64_t multiprocessors = 132;
    int64_t select_last = 0;
};

double value(float v) {
    return v;
}
template <class T>
double value(T v) {
    return static_cast<double>(to_float(v));
}

// The result, and in `magnitude` what rounding errors are relative to.
double reference(int64_t kind, const std::vector<double>& v, double& magnitude) {
    double sum = 0, absolute = 0, squares = 0, product = 1, largest = -INFINITY, smallest = INFINITY;
    bool nan = false;
    for (double x : v) {
        sum += x;
        absolute += std::fabs(x);
        squares += x * x;
        product *= x;
        largest = std::fmax(largest, x);
        smallest = std::fmin(smallest, x);
        nan = nan || std::isnan(x);
    }
    double n = static_cast<double>(v.size()), exponentials = 0;
    magnitude = 0;
    switch (kind) {
        case TENON_CUDA_REDUCE_SUM:
            magnitude = absolute;
            return sum;
        case TENON_CUDA_REDUCE_MEAN:
            magnitude = absolute / n;
            return sum / n;
        case TENON_CUDA_REDUCE_MAX:
            return nan ? NAN : largest;
        case TENON_CUDA_REDUCE_MIN:
            return nan ? NAN : smallest;
        case TENON_CUDA_REDUCE_PROD:
            magnitude = std::fabs(product) * (1 + std::sqrt(n));
            return product;
        case TENON_CUDA_REDUCE_L1:
            return absolute;
        case TENON_CUDA_REDUCE_L2:
            return std::sqrt(squares);
        case TENON_CUDA_REDUCE_SUM_SQUARE:
            return squares;
        case TENON_CUDA_REDUCE_LOG_SUM:
            magnitude = absolute / std::fabs(sum);
            return std::log(sum);
        default:
            if (nan) return NAN;
            if (std::isinf(largest)) return largest;
            for (double x : v) exponentials += std::exp(x - largest);
            magnitude = std::fabs(largest);
            return largest + std::log(exponentials);
    }
}

int64_t position(const std::vector<double>& v, bool largest, bool last) {
    size_t best = 0;
    for (size_t i = 1; i < v.size(); i++) {
        bool a = std::isnan(v[i]), b = std::isnan(v[best]);
        int order = a || b ? int(a) - int(b) : v[i] == v[best] ? 0 : (v[i] > v[best]) == largest ? 1 : -1;
        if (order > 0 || (last && order == 0)) best = i;
    }
    return static_cast<int64_t>(best);
}

// Calls args.workspace = ... and runs.
void plan_and_run(tenon_cuda_reduce& args, int64_t multiprocessors) {
    tenon_cuda_device device = hopper();
    device.multiprocessors = multiprocessors;
    static tenon_cuda_plan plan;
    if (tenon_cuda_reduce_plan(&args, &device, &plan) != TENON_CUDA_OK) return fail("refused: %s", plan.message);
    Buffer<unsigned char> workspace(plan.workspace_bytes);
    args.workspace = workspace.data();
    run([&](tenon_cuda_plan* p) { return tenon_cuda_reduce_plan(&args, &device, p); }, rng());
}

template <class T>
std::string describe(int64_t kind, const Case& c) {
    char text[200];
    std::snprintf(text, sizeof text, "reduce kind %d type %d [%d, %d, %d] misaligned by %d%s%s", (int)kind,
                  (int)type_code<T>(), (int)c.outer, (int)c.axis, (int)c.inner, (int)c.misalignment,
                  c.special ? " special" : "", c.ties ? " ties" : "");
    return text;
}

template <class T, class Y>
void check(int64_t kind, const Case& c) {
    where = describe<T>(kind, c);
    int64_t size = c.outer * c.axis * c.inner, results = c.outer * c.inner;
    Buffer<T> x(size, c.misalignment);
    Buffer<Y> y(results, c.misalignment);
    fill(x, rng);
    for (int64_t i = 0; i < size; i++) {
        float v = to_float(x[i]);
        if (c.ties) v = std::rint(v);
        if (kind == TENON_CUDA_REDUCE_PROD) v = std::copysign(std::exp2(0.02f * v), v);
        if (kind == TENON_CUDA_REDUCE_LOG_SUM) v = std::fabs(v);
        x[i] = from_float<T>(v);
    }
    auto at = [&](int64_t o, int64_t a, int64_t i) { return (o * c.axis + a) * c.inner + i; };
    if (c.special) {
        const float specials[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f};
        for (int64_t row = 0; row < results; row++) {
            int64_t o = row / c.inner, i = row % c.inner;
            if (row % 4 == 0) continue;
            for (int64_t a = 0; row % 4 == 1 && a < c.axis; a++)
                x[at(o, a, i)] = from_float<T>(row % 8 == 1 ? -INFINITY : -0.0f);
            for (int n = 0; n < 2; n++)
                x[at(o, static_cast<int64_t>(rng()) % c.axis, i)] = from_float<T>(specials[rng() % 5]);
        }
    }
    tenon_cuda_reduce args{};
    args.x = x.data();
    args.y = y.data();
    args.kind = kind;
    args.type = type_code<T>();
    args.y_type = type_code<Y>();
    args.select_last = c.select_last;
    args.outer = c.outer;
    args.axis = c.axis;
    args.inner = c.inner;
    plan_and_run(args, c.multiprocessors);

    std::vector<double> v(static_cast<size_t>(c.axis));
    for (int64_t row = 0; row < results; row++) {
        int64_t o = row / c.inner, i = row % c.inner;
        for (int64_t a = 0; a < c.axis; a++) v[static_cast<size_t>(a)] = value(x[at(o, a, i)]);
        if constexpr (std::is_same_v<Y, int64_t>) {
            int64_t want = position(v, kind == TENON_CUDA_REDUCE_ARG_MAX, c.select_last);
            if (y[row] != want)
                return fail("y[%lld] is %lld; expected %lld", (long long)row, (long long)y[row], (long long)want);
        } else {
            double magnitude, want = reference(kind, v, magnitude), got = value(y[row]);
            if (std::is_same_v<Y, f16> && std::fabs(want) > 65519) want = std::copysign(INFINITY, want);
            double tiny = std::is_same_v<Y, f16> ? 6e-8 : 1e-37;
            // log(0 or less) and the like: infinite and NaN results are exact.
            if (!close(got, want, 1.01 * epsilon<Y>() + 1e-6, 1e-6 * magnitude + tiny)) {
                return fail("y[%lld] is %.9g; expected %.9g", (long long)row, got, want);
            }
        }
    }
}

const int64_t kinds[] = {TENON_CUDA_REDUCE_SUM,        TENON_CUDA_REDUCE_MEAN,       TENON_CUDA_REDUCE_MAX,
                         TENON_CUDA_REDUCE_MIN,        TENON_CUDA_REDUCE_PROD,       TENON_CUDA_REDUCE_L1,
                         TENON_CUDA_REDUCE_L2,         TENON_CUDA_REDUCE_SUM_SQUARE, TENON_CUDA_REDUCE_LOG_SUM,
                         TENON_CUDA_REDUCE_LOG_SUM_EXP};

template <class T, class Y>
void check_floats() {
    constexpr int64_t v = 16 / sizeof(T);
    for (int64_t kind : kinds) {
        for (int64_t axis : {int64_t{0}, int64_t{1}, v - 1, v, v + 1, int64_t{100}, int64_t{333}})
            check<T, Y>(kind, {19, axis});
        check<T, Y>(kind, {0, 5});
        check<T, Y>(kind, {5, 77, 1, 1});
        check<T, Y>(kind, {2, 1500, 1, 3});
        check<T, Y>(kind, {3, 9000});
        check<T, Y>(kind, {1, 8200 * v, 1, kind % 4, kind % 3 == 0, false, 4});
        check<T, Y>(kind, {21, 12, 1, 0, true});
        check<T, Y>(kind, {13, 1100, 1, 0, true});
        for (int64_t inner : {2, 3, 4, 36, 131}) check<T, Y>(kind, {2, 25, inner});
        check<T, Y>(kind, {2, 0, 4});
        check<T, Y>(kind, {2, 20, 12, 1});
        check<T, Y>(kind, {1, 17, 2052});
        check<T, Y>(kind, {1, 300, 20, 0, true});
        check<T, Y>(kind, {1, 1100, 36, 0, false, false, 8});
        check<T, Y>(kind, {2, 600, 33, 0, true, false, 8});
    }
}

template <class T>
void check_positions() {
    for (int64_t kind : {TENON_CUDA_REDUCE_ARG_MAX, TENON_CUDA_REDUCE_ARG_MIN}) {
        for (int64_t last : {0, 1}) {
            auto both = [&](Case c) {
                c.select_last = last;
                check<T, int64_t>(kind, c);
                c.ties = true;
                check<T, int64_t>(kind, c);
                c.special = true;
                check<T, int64_t>(kind, c);
            };
            for (int64_t axis : {1, 7, 8, 130, 1000}) both({9, axis});
            both({3, 130, 1, 1});
            both({1, 8200 * 16 / int64_t{sizeof(T)}, 1, 3, false, false, 4});
            both({2, 31, 5});
            both({1, 40, 64});
            both({1, 1100, 36, 0, false, false, 8});
        }
    }
}

template <class T>
void check_integers() {
    for (int64_t kind : {TENON_CUDA_REDUCE_SUM, TENON_CUDA_REDUCE_MAX, TENON_CUDA_REDUCE_MIN, TENON_CUDA_REDUCE_L1,
                         TENON_CUDA_REDUCE_SUM_SQUARE}) {
        for (Case c : {Case{3, 100}, Case{2, 0}, Case{1, 30000, 1, 1, false, false, 2}, Case{2, 30, 7},
                       Case{1, 9000, 3, 0, false, false, 4}}) {
            where = describe<T>(kind, c);
            Buffer<T> x(c.outer * c.axis * c.inner, c.misalignment), y(c.outer * c.inner);
            for (int64_t i = 0; i < x.size(); i++)
                x[i] = static_cast<T>((uint64_t{rng()} << 32 | rng()) >> (rng() % 60));
            tenon_cuda_reduce args{};
            args.x = x.data();
            args.y = y.data();
            args.kind = kind;
            args.type = args.y_type = type_code<T>();
            args.outer = c.outer;
            args.axis = c.axis;
            args.inner = c.inner;
            plan_and_run(args, c.multiprocessors);
            for (int64_t row = 0; row < y.size(); row++) {
                using Limits = std::numeric_limits<T>;
                uint64_t sum = 0;
                int64_t largest = Limits::min(), smallest = Limits::max();
                for (int64_t a = 0; a < c.axis; a++) {
                    int64_t v = x[(row / c.inner * c.axis + a) * c.inner + row % c.inner];
                    uint64_t u = static_cast<uint64_t>(v);
                    sum += kind == TENON_CUDA_REDUCE_L1 && v < 0  ? 0 - u
                           : kind == TENON_CUDA_REDUCE_SUM_SQUARE ? u * u
                                                                  : u;
                    largest = v > largest ? v : largest;
                    smallest = v < smallest ? v : smallest;
                }
                T want = static_cast<T>(kind == TENON_CUDA_REDUCE_MAX   ? largest
                                        : kind == TENON_CUDA_REDUCE_MIN ? smallest
                                                                        : static_cast<int64_t>(sum));
                if (y[row] != want)
                    fail("y[%lld] is %lld; expected %lld", (long long)row, (long long)y[row], (long long)want);
            }
        }
    }
}

void check_refusals() {
    where = "reduce refusals";
    Buffer<float> x(64), y(64);
    tenon_cuda_device device = hopper();
    auto refused = [&](int32_t status, const char* text, auto change) {
        tenon_cuda_reduce a{};
        a.x = x.data();
        a.y = y.data();
        a.type = a.y_type = TENON_CUDA_F32;
        a.outer = 4;
        a.axis = 16;
        a.inner = 1;
        change(a);
        expect_refused(status, text, [&](tenon_cuda_plan* plan) { return tenon_cuda_reduce_plan(&a, &device, plan); });
    };
    const int32_t invalid = TENON_CUDA_INVALID_ARGUMENT, unsupported = TENON_CUDA_UNSUPPORTED;
    refused(invalid, "kind is 10", [](auto& a) { a.kind = 10; });
    refused(unsupported, "type 3", [](auto& a) { a.type = 3; });
    refused(unsupported, "kind 1 of integers", [](auto& a) { a.type = a.y_type = TENON_CUDA_I64, a.kind = 1; });
    refused(unsupported, "y_type 10", [](auto& a) { a.y_type = TENON_CUDA_F16; });
    refused(unsupported, "y_type 1; expected the type of x", [](auto& a) { a.type = TENON_CUDA_I32; });
    refused(invalid, "y_type is 1", [](auto& a) { a.kind = TENON_CUDA_REDUCE_ARG_MAX; });
    refused(invalid, "axis is 0",
            [](auto& a) { a.kind = TENON_CUDA_REDUCE_ARG_MIN, a.y_type = TENON_CUDA_I64, a.axis = 0; });
    refused(invalid, "outer is -1", [](auto& a) { a.outer = -1; });
    refused(invalid, "axis is -2", [](auto& a) { a.axis = -2; });
    refused(invalid, "inner is -3", [](auto& a) { a.inner = -3; });
    refused(unsupported, "axis is 2147467265", [](auto& a) { a.axis = 2147467265; });
    refused(unsupported, "outer * inner", [](auto& a) { a.outer = int64_t{1} << 31, a.inner = 2; });
    refused(unsupported, "outer is", [](auto& a) {
        a.type = a.y_type = TENON_CUDA_F16;
        a.outer = int64_t{1} << 39;
        a.axis = 1;
    });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.outer = int64_t{1} << 42; });
    refused(unsupported, "more than 2^40 bytes", [](auto& a) { a.axis = 0, a.inner = INT64_MAX; });
    refused(invalid, "x is null", [](auto& a) { a.x = nullptr; });
    refused(invalid, "y is null", [](auto& a) { a.y = nullptr; });
}

}  // namespace

int main() {
    check_floats<float, float>();
    check_floats<f16, f16>();
    check_floats<bf16, bf16>();
    check_floats<bf16, float>();
    check_positions<float>();
    check_positions<f16>();
    check_positions<bf16>();
    check_integers<int32_t>();
    check_integers<int64_t>();
    check_refusals();
    return result("tenon_reduce_");
}
