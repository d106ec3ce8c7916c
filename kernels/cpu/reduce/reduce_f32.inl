// f32: rows (inner = 1) in the four accumulators of vec_reduce.inl's kind, columns a few vectors at a time.

namespace tenon::cpu::TENON_ISA {
namespace {

// What is done with each element, how partial results are joined, and where they start.
struct SumOf {
    static constexpr float kStart = 0.0f;
    static F32 map(F32 x) { return x; }
    static F32 join(F32 a, F32 b) { return a + b; }
};
struct SumOfMagnitudes : SumOf {
    static F32 map(F32 x) { return abs(x); }
};
struct SumOfSquares : SumOf {
    static F32 map(F32 x) { return x * x; }
};
struct MaxOf {
    static constexpr float kStart = -kInfinity;
    static F32 map(F32 x) { return x; }
    static F32 join(F32 a, F32 b) { return max(a, b); }
};
struct MinOf {
    static constexpr float kStart = kInfinity;
    static F32 map(F32 x) { return x; }
    static F32 join(F32 a, F32 b) { return min(a, b); }
};
struct ProductOf {
    static constexpr float kStart = 1.0f;
    static F32 map(F32 x) { return x; }
    static F32 join(F32 a, F32 b) { return a * b; }
};

template <class Op>
float row(const float* x, int64_t n) {
    F32 a = set(Op::kStart), b = a;
    int64_t i = 0;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
        a = Op::join(a, Op::map(load(x + i)));
        b = Op::join(b, Op::map(load(x + i + kLanes)));
    }
    for (; i < n; i += kLanes) {
        const int64_t count = n - i < kLanes ? n - i : kLanes;
        a = Op::join(a, keep_part(Op::map(load_part(x + i, count)), count, set(Op::kStart)));
    }
    float lanes[kLanes];
    store(lanes, Op::join(a, b));
    for (int64_t k = 1; k < kLanes; ++k) {
        store_part(lanes, Op::join(load_part(lanes, 1), load_part(lanes + k, 1)), 1);
    }
    return lanes[0];
}

// Partial results of kColumnBlock elements are joined into the total, so that long sums lose little.
constexpr int64_t kColumnBlock = 512;

template <class Op, int vectors>
void column(const float* x, int64_t axis, int64_t stride, int64_t lanes, F32* out) {
    F32 total[vectors];
    for (int k = 0; k < vectors; ++k) total[k] = set(Op::kStart);
    for (int64_t begin = 0; begin < axis; begin += kColumnBlock) {
        const int64_t end = axis - begin < kColumnBlock ? axis : begin + kColumnBlock;
        F32 partial[vectors];
        for (int k = 0; k < vectors; ++k) partial[k] = set(Op::kStart);
        for (int64_t a = begin; a < end; ++a) {
            for (int k = 0; k < vectors; ++k) {
                const float* p = x + a * stride + k * kLanes;
                partial[k] = Op::join(partial[k], Op::map(vectors > 1 ? load(p) : load_part(p, lanes)));
            }
        }
        for (int k = 0; k < vectors; ++k) total[k] = Op::join(total[k], partial[k]);
    }
    for (int k = 0; k < vectors; ++k) out[k] = total[k];
}

// log(sum(exp(x))) around the largest element; infinite ones are left to exp and log.
template <int vectors>
void column_log_sum_exp(const float* x, int64_t axis, int64_t stride, int64_t lanes, F32* out) {
    F32 most[vectors], total[vectors];
    column<MaxOf, vectors>(x, axis, stride, lanes, most);
    for (int k = 0; k < vectors; ++k) {
        most[k] = select(abs(most[k]) < set(kInfinity), most[k], set(0.0f));
        total[k] = set(0.0f);
    }
    for (int64_t a = 0; a < axis; ++a) {
        for (int k = 0; k < vectors; ++k) {
            const float* p = x + a * stride + k * kLanes;
            total[k] = total[k] + exp((vectors > 1 ? load(p) : load_part(p, lanes)) - most[k]);
        }
    }
    for (int k = 0; k < vectors; ++k) out[k] = most[k] + log(total[k]);
}

template <int vectors>
void column_of(Reduction reduction, const float* x, int64_t axis, int64_t stride, int64_t lanes, F32* out) {
    switch (reduction) {
        case Reduction::sum:
        case Reduction::mean:
        case Reduction::log_sum:
            column<SumOf, vectors>(x, axis, stride, lanes, out);
            break;
        case Reduction::l1:
            column<SumOfMagnitudes, vectors>(x, axis, stride, lanes, out);
            break;
        case Reduction::l2:
        case Reduction::sum_square:
            column<SumOfSquares, vectors>(x, axis, stride, lanes, out);
            break;
        case Reduction::max:
            column<MaxOf, vectors>(x, axis, stride, lanes, out);
            break;
        case Reduction::min:
            column<MinOf, vectors>(x, axis, stride, lanes, out);
            break;
        case Reduction::prod:
            column<ProductOf, vectors>(x, axis, stride, lanes, out);
            break;
        default:
            column_log_sum_exp<vectors>(x, axis, stride, lanes, out);
            break;
    }
    for (int k = 0; k < vectors; ++k) {
        if (reduction == Reduction::mean) out[k] = out[k] / set(static_cast<float>(axis));
        if (reduction == Reduction::log_sum) out[k] = log(out[k]);
        if (reduction == Reduction::l2) out[k] = sqrt(out[k]);
    }
}

float row_of(Reduction reduction, const float* x, int64_t n) {
    switch (reduction) {
        case Reduction::max:
            return row<MaxOf>(x, n);
        case Reduction::min:
            return row<MinOf>(x, n);
        case Reduction::prod:
            return row<ProductOf>(x, n);
        case Reduction::mean:
            return static_cast<float>(sum_of(x, n, SumOf::map) / static_cast<double>(n));
        case Reduction::log_sum:
            return static_cast<float>(__builtin_log(sum_of(x, n, SumOf::map)));
        case Reduction::l1:
            return static_cast<float>(sum_of(x, n, SumOfMagnitudes::map));
        case Reduction::l2:
            return static_cast<float>(__builtin_sqrt(sum_of(x, n, SumOfSquares::map)));
        case Reduction::sum_square:
            return static_cast<float>(sum_of(x, n, SumOfSquares::map));
        case Reduction::log_sum_exp: {
            const float most = row<MaxOf>(x, n), shift = __builtin_fabsf(most) < kInfinity ? most : 0.0f;
            const double total = sum_of(x, n, [shift](F32 v) { return exp(v - set(shift)); });
            return static_cast<float>(static_cast<double>(shift) + __builtin_log(total));
        }
        default:
            return static_cast<float>(sum_of(x, n, SumOf::map));
    }
}

// Position of the first (or last) element equal to the extreme one, or of the first NaN.
template <class Op>
int64_t row_position(const float* x, int64_t n, bool last) {
    if (n == 0) return 0;
    const float best = row<Op>(x, n);
    if (best != best) {
        int64_t i = 0;
        while (x[i] == x[i]) ++i;
        return i;
    }
    int64_t i = last ? n - 1 : 0;
    while (x[i] != best) i += last ? -1 : 1;
    return i;
}

// Positions are counted in f32, which is exact below 2^24.
template <class Op>
void column_position(const float* x, int64_t axis, int64_t stride, int64_t lanes, bool last, int64_t* out) {
    F32 best = set(Op::kStart), position = set(0.0f);
    for (int64_t a = 0; a < axis; ++a) {
        const F32 v = load_part(x + a * stride, lanes);
        const F32 joined = Op::join(best, v);
        const Mask equal_takes = last || a == 0 ? v == joined : (v == joined) & (best < joined | joined < best);
        // A NaN is taken when there was none before.
        const F32 nan_takes = select(is_nan(best), set(0.0f), select(is_nan(v), set(1.0f), set(0.0f)));
        position = select(equal_takes | (nan_takes == set(1.0f)), set(static_cast<float>(a)), position);
        best = joined;
    }
    float positions[kLanes];
    store(positions, position);
    for (int64_t k = 0; k < lanes; ++k) out[k] = static_cast<int64_t>(positions[k]);
}

constexpr int64_t kMaxCountedAxis = int64_t{1} << 24;

// `count` lanes of one outer index.
void f32_positions(const ReduceParams& p, const float* x, int64_t count, int64_t* y) {
    const bool max_form = p.reduction == Reduction::arg_max;
    if (p.axis > kMaxCountedAxis) return positions<float>(p, x, count, y);
    for (int64_t i = 0; i < count; i += kLanes) {
        const int64_t lanes = count - i < kLanes ? count - i : kLanes;
        if (p.inner == 1) {
            for (int64_t k = i; k < i + lanes; ++k) {
                const float* from = x + k * p.axis;
                y[k] = max_form ? row_position<MaxOf>(from, p.axis, p.select_last)
                                : row_position<MinOf>(from, p.axis, p.select_last);
            }
        } else if (max_form) {
            column_position<MaxOf>(x + i, p.axis, p.inner, lanes, p.select_last, y + i);
        } else {
            column_position<MinOf>(x + i, p.axis, p.inner, lanes, p.select_last, y + i);
        }
    }
}

void f32_values(const ReduceParams& p, const float* x, int64_t count, float* y) {
    int64_t i = 0;
    F32 out[4];
    for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
        column_of<4>(p.reduction, x + i, p.axis, p.inner, kLanes, out);
        for (int k = 0; k < 4; ++k) store(y + i + k * kLanes, out[k]);
    }
    for (; i < count; i += kLanes) {
        const int64_t lanes = count - i < kLanes ? count - i : kLanes;
        column_of<1>(p.reduction, x + i, p.axis, p.inner, lanes, out);
        store_part(y + i, out[0], lanes);
    }
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
