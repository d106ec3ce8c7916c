// A row of the result: the rows of the source it needs are summed first, then the columns of that sum.

namespace tenon::cpu::TENON_ISA {
namespace {

// sums = sum_t weights[t] * rows[t].
void sum_rows(const ResizeParams& p, const float* plane, int64_t i, float* sums) {
    const int32_t* indices = p.h_indices + i * p.h_taps;
    const float* weights = p.h_weights != nullptr ? p.h_weights + i * p.h_taps : nullptr;
    for (int64_t j = 0; j < p.src_w; j += kLanes) {
        const int64_t count = p.src_w - j < kLanes ? p.src_w - j : kLanes;
        F32 total = set(0.0f);
        for (int64_t t = 0; t < p.h_taps; ++t) {
            const F32 v = load_part(plane + indices[t] * p.src_w + j, count);
            total = weights != nullptr ? fma(set(weights[t]), v, total) : total + v;
        }
        store_part(sums + j, total, count);
    }
}

void sum_columns(const ResizeParams& p, const float* from, float* to) {
    if (p.w_weights == nullptr && p.w_taps == 1) {
        for (int64_t j = 0; j < p.dst_w; ++j) to[j] = from[p.w_indices[j]];
    } else if (p.w_weights != nullptr && p.w_taps == 2) {
        for (int64_t j = 0; j < p.dst_w; ++j) {
            to[j] =
                p.w_weights[2 * j] * from[p.w_indices[2 * j]] + p.w_weights[2 * j + 1] * from[p.w_indices[2 * j + 1]];
        }
    } else {
        for (int64_t j = 0; j < p.dst_w; ++j) {
            float total = 0;
            for (int64_t u = j * p.w_taps; u < (j + 1) * p.w_taps; ++u) {
                total += (p.w_weights != nullptr ? p.w_weights[u] : 1.0f) * from[p.w_indices[u]];
            }
            to[j] = total;
        }
    }
}

void run(const ResizeParams& p, float* scratch, int64_t row_begin, int64_t row_end) {
    for (int64_t row = row_begin; row < row_end; ++row) {
        const int64_t plane = row / p.dst_h, i = row - plane * p.dst_h;
        const float* src = p.x + plane * p.src_h * p.src_w;
        const float* from = scratch;
        if (p.h_taps == 1 && p.h_weights == nullptr) {
            from = src + p.h_indices[i] * p.src_w;
        } else {
            sum_rows(p, src, i, scratch);
        }
        sum_columns(p, from, p.y + row * p.dst_w);
    }
}

}  // namespace

const ResizeKernels resize = {Isa::TENON_ISA, run};

}  // namespace tenon::cpu::TENON_ISA
