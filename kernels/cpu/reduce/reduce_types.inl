// The other types: plain loops over a few lanes at a time.

namespace tenon::cpu::TENON_ISA {
namespace {

template <class T>
struct Number {  // integers: sums and products wrap in 64 bits without a sign
    using Wide = uint64_t;
    static constexpr bool kSigned = static_cast<T>(-1) < static_cast<T>(0);
    static constexpr T kLowest = kSigned ? static_cast<T>(uint64_t{1} << (sizeof(T) * 8 - 1)) : static_cast<T>(0);
    static constexpr T kHighest = static_cast<T>(~kLowest);
    static T mean(Wide total, int64_t n) {
        return n == 0 ? static_cast<T>(0) : static_cast<T>(static_cast<int64_t>(total) / n);
    }
    static Wide magnitude(T x) { return x < 0 ? uint64_t{0} - static_cast<uint64_t>(x) : static_cast<uint64_t>(x); }
};
template <>
struct Number<double> {
    using Wide = double;
    static constexpr double kLowest = -__builtin_inf(), kHighest = __builtin_inf();
    static double mean(double total, int64_t n) { return total / static_cast<double>(n); }
    static double magnitude(double x) { return __builtin_fabs(x); }
};

// NaN wins over everything.
template <class T>
bool larger(T a, T b) {
    return a > b || a != a;
}
template <class T>
bool smaller(T a, T b) {
    return a < b || a != a;
}

constexpr int64_t kGroup = 64;  // lanes done together

// acc[l] = fn(acc[l], x of lane l) along the axis, for `count` <= kGroup neighbouring lanes.
template <class T, class Acc, class Fn>
void fold(const T* x, int64_t axis, int64_t stride, int64_t count, Acc* acc, Fn fn) {
    for (int64_t a = 0; a < axis; ++a) {
        const T* p = x + a * stride;
        for (int64_t l = 0; l < count; ++l) acc[l] = fn(acc[l], p[l]);
    }
}

template <class T>
void totals(const ReduceParams& p, const T* x, int64_t count, T* y) {
    using Wide = typename Number<T>::Wide;
    Wide acc[kGroup];
    for (int64_t l = 0; l < count; ++l) acc[l] = p.reduction == Reduction::prod ? Wide{1} : Wide{0};
    switch (p.reduction) {
        case Reduction::prod:
            fold(x, p.axis, p.inner, count, acc, [](Wide s, T v) { return s * static_cast<Wide>(v); });
            break;
        case Reduction::l1:
            fold(x, p.axis, p.inner, count, acc, [](Wide s, T v) { return s + Number<T>::magnitude(v); });
            break;
        case Reduction::l2:
        case Reduction::sum_square:
            fold(x, p.axis, p.inner, count, acc,
                 [](Wide s, T v) { return s + static_cast<Wide>(v) * static_cast<Wide>(v); });
            break;
        default:
            fold(x, p.axis, p.inner, count, acc, [](Wide s, T v) { return s + static_cast<Wide>(v); });
    }
    for (int64_t l = 0; l < count; ++l) {
        y[l] = p.reduction == Reduction::mean ? Number<T>::mean(acc[l], p.axis) : static_cast<T>(acc[l]);
    }
}

template <class T>
void extremes(const ReduceParams& p, const T* x, int64_t count, T* y) {
    T acc[kGroup];
    const bool max_form = p.reduction == Reduction::max;
    for (int64_t l = 0; l < count; ++l) acc[l] = max_form ? Number<T>::kLowest : Number<T>::kHighest;
    if (max_form) {
        fold(x, p.axis, p.inner, count, acc, [](T s, T v) { return larger(s, v) ? s : v; });
    } else {
        fold(x, p.axis, p.inner, count, acc, [](T s, T v) { return smaller(s, v) ? s : v; });
    }
    for (int64_t l = 0; l < count; ++l) y[l] = acc[l];
}

template <class T>
void positions(const ReduceParams& p, const T* x, int64_t count, int64_t* y) {
    const bool max_form = p.reduction == Reduction::arg_max;
    for (int64_t l = 0; l < count; ++l) {
        int64_t at = 0;
        for (int64_t a = 1; a < p.axis; ++a) {
            const T v = x[a * p.inner + l], best = x[at * p.inner + l];
            if (best != best) break;
            if (v != v || (max_form ? v > best : v < best) || (p.select_last && v == best)) at = a;
        }
        y[l] = at;
    }
}

void f64_logs(const ReduceParams& p, const double* x, int64_t count, double* y) {
    double most[kGroup], acc[kGroup] = {};
    for (int64_t l = 0; l < count; ++l) most[l] = 0;
    if (p.reduction == Reduction::log_sum_exp) {
        ReduceParams max_params = p;
        max_params.reduction = Reduction::max;
        extremes<double>(max_params, x, count, most);
        for (int64_t l = 0; l < count; ++l) most[l] = __builtin_fabs(most[l]) < __builtin_inf() ? most[l] : 0.0;
    }
    for (int64_t a = 0; a < p.axis; ++a) {
        for (int64_t l = 0; l < count; ++l) {
            const double v = x[a * p.inner + l];
            acc[l] += p.reduction == Reduction::log_sum_exp ? __builtin_exp(v - most[l]) : v;
        }
    }
    for (int64_t l = 0; l < count; ++l) y[l] = most[l] + __builtin_log(acc[l]);
}

// Lanes of one outer index, `count` of them from x and y on.
template <class T>
void group(const ReduceParams& p, const T* x, int64_t count, T* y) {
    switch (p.reduction) {
        case Reduction::max:
        case Reduction::min:
            return extremes(p, x, count, y);
        default:
            return totals(p, x, count, y);
    }
}
template <>
void group<double>(const ReduceParams& p, const double* x, int64_t count, double* y) {
    switch (p.reduction) {
        case Reduction::max:
        case Reduction::min:
            return extremes(p, x, count, y);
        case Reduction::log_sum:
        case Reduction::log_sum_exp:
            return f64_logs(p, x, count, y);
        default:
            totals(p, x, count, y);
    }
    for (int64_t l = 0; l < count && p.reduction == Reduction::l2; ++l) y[l] = __builtin_sqrt(y[l]);
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
