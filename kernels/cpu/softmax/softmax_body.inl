// Three passes over a row that stays in the first cache levels: maximum, exponentials and their sum, division.

namespace tenon::cpu::TENON_ISA {
namespace {

// Largest scale * x + mask, stored to y when `stored`. A NaN may be missed here: it comes back in the sum.
template <bool stored, bool masked>
float largest(const SoftmaxParams& p, const float* x, const float* mask, float* y) {
    const F32 scale = set(p.scale);
    F32 most = set(-kInfinity);
    int64_t i = 0;
    for (; i + kLanes <= p.cols; i += kLanes) {
        F32 v = load(x + i);
        if (stored) v = masked ? fma(v, scale, load(mask + i)) : v * scale;
        if (stored) store(y + i, v);
        most = max_second(v, most);
    }
    const int64_t rest = p.cols - i;
    if (rest > 0) {
        F32 v = load_part(x + i, rest);
        if (stored) v = masked ? fma(v, scale, load_part(mask + i, rest)) : v * scale;
        if (stored) store_part(y + i, v, rest);
        most = max_second(keep_part(v, rest, set(-kInfinity)), most);
    }
    return max_lane(most);
}

// Sum of exp(x - most), the terms stored to y when `stored`.
template <bool stored>
double exponentials(const float* x, float most, float* y, int64_t n) {
    const F32 m = set(most);
    double total = 0;
    for (int64_t begin = 0; begin < n; begin += kReduceBlock) {
        const int64_t end = n - begin < kReduceBlock ? n : begin + kReduceBlock;
        F32 a = set(0.0f), b = a;
        int64_t i = begin;
        for (; i + 2 * kLanes <= end; i += 2 * kLanes) {
            const F32 e = exp(load(x + i) - m), f = exp(load(x + i + kLanes) - m);
            a = a + e;
            b = b + f;
            if (stored) store(y + i, e);
            if (stored) store(y + i + kLanes, f);
        }
        for (; i < end; i += kLanes) {
            const int64_t count = end - i < kLanes ? end - i : kLanes;
            const F32 e = exp(load_part(x + i, count) - m);
            a = a + keep_part(e, count, set(0.0f));
            if (stored) store_part(y + i, e, count);
        }
        total += static_cast<double>(sum(a + b));
    }
    return total;
}

void softmax_row(const SoftmaxParams& p, const float* x, const float* mask, float* y) {
    const bool plain = mask == nullptr && p.scale == 1.0f;
    const float most = plain             ? largest<false, false>(p, x, mask, y)
                       : mask != nullptr ? largest<true, true>(p, x, mask, y)
                                         : largest<true, false>(p, x, mask, y);
    const float* v = plain ? x : y;
    int64_t i = 0;
    if (p.log) {
        const double total = exponentials<false>(v, most, y, p.cols);
        const F32 m = set(most), shift = set(static_cast<float>(__builtin_log(total)));
        for (; i + kLanes <= p.cols; i += kLanes) store(y + i, (load(v + i) - m) - shift);
        const int64_t rest = p.cols - i;
        if (rest > 0) store_part(y + i, (load_part(v + i, rest) - m) - shift, rest);
    } else {
        const F32 factor = set(static_cast<float>(1.0 / exponentials<true>(v, most, y, p.cols)));
        for (; i + kLanes <= p.cols; i += kLanes) store(y + i, load(y + i) * factor);
        const int64_t rest = p.cols - i;
        if (rest > 0) store_part(y + i, load_part(y + i, rest) * factor, rest);
    }
}

void rows(const SoftmaxParams& p, int64_t row_begin, int64_t row_end) {
    for (int64_t row = row_begin; row < row_end; ++row) {
        const float* mask = nullptr;
        if (p.mask != nullptr) {
            mask = p.mask + row / (p.mask_repeat * p.mask_rows) * p.mask_batch_stride +
                   row % p.mask_rows * p.mask_row_stride;
        }
        softmax_row(p, p.x + row * p.cols, mask, p.y + row * p.cols);
    }
}

// `vectors` neighbouring columns of vectors; the last one may have `rest` < kLanes lanes (0: all).
template <int vectors>
void columns(const SoftmaxAxisParams& p, const float* x, float* y, int64_t rest) {
    const int64_t stride = p.inner;
    const int64_t lanes = rest > 0 ? rest : kLanes;
    auto get = [lanes](const float* from) { return vectors > 1 ? load(from) : load_part(from, lanes); };
    auto put = [lanes](float* to, F32 v) { vectors > 1 ? store(to, v) : store_part(to, v, lanes); };
    F32 most[vectors], total[vectors];
    for (int k = 0; k < vectors; ++k) most[k] = set(-kInfinity), total[k] = set(0.0f);
    for (int64_t a = 0; a < p.axis; ++a) {
        for (int k = 0; k < vectors; ++k) most[k] = max_second(get(x + a * stride + k * kLanes), most[k]);
    }
    for (int64_t a = 0; a < p.axis; ++a) {
        for (int k = 0; k < vectors; ++k) {
            const int64_t at = a * stride + k * kLanes;
            const F32 e = exp(get(x + at) - most[k]);
            total[k] = total[k] + e;
            if (!p.log) put(y + at, e);
        }
    }
    for (int k = 0; k < vectors; ++k) total[k] = p.log ? log(total[k]) : set(1.0f) / total[k];
    for (int64_t a = 0; a < p.axis; ++a) {
        for (int k = 0; k < vectors; ++k) {
            const int64_t at = a * stride + k * kLanes;
            put(y + at, p.log ? (get(x + at) - most[k]) - total[k] : get(y + at) * total[k]);
        }
    }
}

void axis(const SoftmaxAxisParams& p, int64_t lane_begin, int64_t lane_end) {
    if (p.inner == 1) {
        SoftmaxParams row{};
        row.x = p.x;
        row.y = p.y;
        row.cols = p.axis;
        row.scale = 1;
        row.log = p.log;
        rows(row, lane_begin, lane_end);
        return;
    }
    for (int64_t lane = lane_begin; lane < lane_end;) {
        const int64_t outer = lane / p.inner, i = lane - outer * p.inner;
        const int64_t left = p.inner - i < lane_end - lane ? p.inner - i : lane_end - lane;
        const float* x = p.x + outer * p.axis * p.inner + i;
        float* y = p.y + outer * p.axis * p.inner + i;
        int64_t done = 0;
        for (; done + 4 * kLanes <= left; done += 4 * kLanes) columns<4>(p, x + done, y + done, 0);
        for (; done < left; done += kLanes) {
            columns<1>(p, x + done, y + done, left - done < kLanes ? left - done : 0);
        }
        lane += left;
    }
}

}  // namespace

const SoftmaxKernels softmax = {Isa::TENON_ISA, rows, axis};

}  // namespace tenon::cpu::TENON_ISA
