#include "reduce.h"

#include "../common/test_support.h"

namespace tenon::cpu {
namespace {

using test::Guarded;
using test::Random;

test::Checker checker("reduce");

const float kInf = std::numeric_limits<float>::infinity();
const float kNan = std::numeric_limits<float>::quiet_NaN();

const Reduction kAll[] = {Reduction::sum,     Reduction::mean,        Reduction::max,     Reduction::min,
                          Reduction::prod,    Reduction::l1,          Reduction::l2,      Reduction::sum_square,
                          Reduction::log_sum, Reduction::log_sum_exp, Reduction::arg_max, Reduction::arg_min};

bool is_position(Reduction r) {
    return r == Reduction::arg_max || r == Reduction::arg_min;
}

// Of the n values v; *magnitude is the sum of the magnitudes added up.
double reference(Reduction r, const std::vector<double>& v, bool last, double* magnitude) {
    const int64_t n = static_cast<int64_t>(v.size());
    double sum = 0, product = 1, squares = 0, l1 = 0, most = -INFINITY, least = INFINITY, exps = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += v[i];
        product *= v[i];
        squares += v[i] * v[i];
        l1 += fabs(v[i]);
        most = most != most || most > v[i] ? most : v[i];
        least = least != least || least < v[i] ? least : v[i];
        exps += exp(v[i]);
        const double best = v[at];
        if (best == best &&
            (v[i] != v[i] || (r == Reduction::arg_max ? v[i] > best : v[i] < best) || (last && v[i] == best)))
            at = i;
    }
    *magnitude = r == Reduction::sum_square || r == Reduction::l2 ? squares : l1;
    switch (r) {
        case Reduction::sum:
            return sum;
        case Reduction::mean:
            *magnitude = l1 / static_cast<double>(n);
            return sum / static_cast<double>(n);
        case Reduction::max:
            return most;
        case Reduction::min:
            return least;
        case Reduction::prod:
            return product;
        case Reduction::l1:
            return l1;
        case Reduction::l2:
            return sqrt(squares);
        case Reduction::sum_square:
            return squares;
        case Reduction::log_sum:
            return log(sum);
        case Reduction::log_sum_exp:
            *magnitude = 4;
            return log(exps);
        default:
            return static_cast<double>(at);
    }
}

Tolerance tolerance(Reduction r, double expected, double magnitude, int64_t n) {
    switch (r) {
        case Reduction::max:
        case Reduction::min:
        case Reduction::arg_max:
        case Reduction::arg_min:
            return kExact;
        case Reduction::prod:
            return {static_cast<double>(n + 1) * kEpsilonF32, kSmallestF32};
        case Reduction::l2:
        case Reduction::l1:
        case Reduction::sum_square:
            return {(2 + sqrt(static_cast<double>(n))) * kEpsilonF32, kSmallestF32};
        case Reduction::log_sum:
            return {4 * kEpsilonF32, 4 * kEpsilonF32 * (1 + magnitude / exp(expected))};
        default:
            return sum_tolerance(n, magnitude);
    }
}

template <class T>
void test_type(const ReduceKernels& kernels, ElementType type, int64_t outer, int64_t axis, int64_t inner,
               int special) {
    Random random(axis * 7 + inner + special);
    const int64_t lanes = outer * inner;
    Guarded<T> x(lanes * axis), y(lanes);
    Guarded<int64_t> at(lanes);
    const bool real = type == ElementType::f32 || type == ElementType::f64;
    for (int64_t i = 0; i < x.size(); ++i) {
        x[i] = real ? static_cast<T>(random.real(-2, 2)) : static_cast<T>(random.below(5) + (special == 2 ? 100 : 0));
        if (random.below(4) == 0) x[i] = static_cast<T>(1);
    }
    if (real && x.size() > 2 && special == 1) {
        x[x.size() / 2] = static_cast<T>(kNan);
        x[x.size() - 1] = static_cast<T>(kNan);
        x[0] = static_cast<T>(kInf);
        x[1] = static_cast<T>(-kInf);
    }
    for (Reduction r : kAll) {
        if (!kernels.supported(r, type)) continue;
        for (bool last : {false, true}) {
            if (last && !is_position(r)) continue;
            ReduceParams p{x.get(), is_position(r) ? static_cast<void*>(at.get()) : y.get(), r, type, axis, inner,
                           last};
            const int64_t cut = random.below(lanes + 1);
            kernels.run(p, 0, cut);
            kernels.run(p, cut, lanes);
            for (int64_t lane = 0; lane < lanes; ++lane) {
                std::vector<double> v(axis);
                for (int64_t a = 0; a < axis; ++a)
                    v[a] = static_cast<double>(x[(lane / inner * axis + a) * inner + lane % inner]);
                double magnitude = 0;
                double expected = reference(r, v, last, &magnitude);
                const double actual = is_position(r) ? static_cast<double>(at[lane]) : static_cast<double>(y[lane]);
                Tolerance allowed = tolerance(r, expected, magnitude, axis);
                if (!real) {
                    allowed = kExact;
                    if (axis == 0 && (r == Reduction::max || r == Reduction::min)) {
                        expected = static_cast<double>(r == Reduction::max ? std::numeric_limits<T>::min()
                                                                           : std::numeric_limits<T>::max());
                        allowed = {1e-7, 0};
                    }
                    if (r == Reduction::mean) expected = axis == 0 ? 0 : trunc(expected);
                    if (r == Reduction::prod) {
                        uint64_t product = 1;
                        for (double value : v) product *= static_cast<uint64_t>(value);
                        expected = static_cast<double>(static_cast<T>(product));
                    }
                }
                checker.expect(close(actual, expected, allowed),
                               "reduction %d type %d [%lld, %lld, %lld] lane %lld: %.9g, expected %.9g (%s)",
                               static_cast<int>(r), static_cast<int>(type), (long long)outer, (long long)axis,
                               (long long)inner, (long long)lane, actual, expected, isa_name(kernels.isa));
            }
        }
    }
}

void test_all(const ReduceKernels& kernels) {
    for (int special = 0; special < 3; ++special) {
        for (int64_t axis : {0, 1, 2, 7, 16, 17, 33, 70}) {
            for (int64_t inner : {1, 2, 15, 16, 17, 65, 70}) {
                test_type<float>(kernels, ElementType::f32, 3, axis, inner, special);
                test_type<double>(kernels, ElementType::f64, 2, axis, inner, special);
                test_type<int32_t>(kernels, ElementType::i32, 2, axis, inner, special);
                test_type<int64_t>(kernels, ElementType::i64, 2, axis, inner, special);
                test_type<uint8_t>(kernels, ElementType::u8, 2, axis, inner, special);
                test_type<int8_t>(kernels, ElementType::i8, 2, axis, inner, special);
            }
        }
    }
    test_type<float>(kernels, ElementType::f32, 1, 20011, 1, 0);
    test_type<float>(kernels, ElementType::f32, 1, 2000, 3, 0);
}

}  // namespace

int run_all() {
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best_isa()) test_all(isa::name);
#include "reduce.inc"
#undef TENON_KERNEL
    return checker.finish();
}

}  // namespace tenon::cpu

int main() {
    return tenon::cpu::run_all();
}
