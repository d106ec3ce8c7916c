// Two passes for the statistics, one to write. A row fits the first cache levels, so only the first pass waits for
// memory.

namespace tenon::cpu::TENON_ISA {
namespace {

// out = x + residual (or x).
void add_rows(const float* x, const float* residual, float* out, int64_t n) {
    int64_t i = 0;
    if (residual == nullptr) {
        __builtin_memmove(out, x, static_cast<uint64_t>(n) * sizeof(float));
        return;
    }
    for (; i + kLanes <= n; i += kLanes) store(out + i, load(x + i) + load(residual + i));
    if (i < n) store_part(out + i, load_part(x + i, n - i) + load_part(residual + i, n - i), n - i);
}

// Where the row x + residual is after the first pass.
const float* summed_row(const RowNormParams& p, int64_t row) {
    const int64_t at = row * p.cols;
    float* out = p.sum != nullptr ? p.sum + at : p.residual != nullptr ? p.y + at : nullptr;
    if (out == nullptr) return p.x + at;
    add_rows(p.x + at, p.residual != nullptr ? p.residual + at : nullptr, out, p.cols);
    return out;
}

void layer_norm(const RowNormParams& p, int64_t row_begin, int64_t row_end) {
    const double cols = static_cast<double>(p.cols);
    for (int64_t row = row_begin; row < row_end; ++row) {
        const float* s = summed_row(p, row);
        const float mean = static_cast<float>(sum_of(s, p.cols, [](F32 v) { return v; }) / cols);
        const double variance = variance_around(s, mean, p.cols);
        const float inv_std = static_cast<float>(1.0 / __builtin_sqrt(variance + static_cast<double>(p.epsilon)));
        normalize(s, mean, inv_std, p.scale, p.bias, p.y + row * p.cols, p.cols);
        if (p.mean != nullptr) p.mean[row] = mean;
        if (p.inv_std != nullptr) p.inv_std[row] = inv_std;
    }
}

void rms_norm(const RowNormParams& p, int64_t row_begin, int64_t row_end) {
    const double cols = static_cast<double>(p.cols);
    for (int64_t row = row_begin; row < row_end; ++row) {
        const float* s = summed_row(p, row);
        const double mean_square = sum_of(s, p.cols, [](F32 v) { return v * v; }) / cols;
        const float inv = static_cast<float>(1.0 / __builtin_sqrt(mean_square + static_cast<double>(p.epsilon)));
        normalize(s, 0.0f, inv, p.scale, p.bias, p.y + row * p.cols, p.cols);
        if (p.inv_std != nullptr) p.inv_std[row] = inv;
    }
}

void group_norm(const GroupNormParams& p, int64_t row_begin, int64_t row_end) {
    const int64_t channels = p.channels / p.groups, n = channels * p.inner;
    for (int64_t row = row_begin; row < row_end; ++row) {
        const float* x = p.x + row * n;
        float* y = p.y + row * n;
        const float mean = static_cast<float>(sum_of(x, n, [](F32 v) { return v; }) / static_cast<double>(n));
        const double variance = variance_around(x, mean, n);
        const double inv_std = 1.0 / __builtin_sqrt(variance + static_cast<double>(p.epsilon));
        const int64_t first_channel = row % p.groups * channels;
        for (int64_t c = 0; c < channels; ++c) {
            const double scale = p.scale != nullptr ? static_cast<double>(p.scale[first_channel + c]) : 1.0;
            const F32 m = set(mean), a = set(static_cast<float>(inv_std * scale));
            const F32 b = set(p.bias != nullptr ? p.bias[first_channel + c] : 0.0f);
            const float* from = x + c * p.inner;
            float* to = y + c * p.inner;
            int64_t i = 0;
            for (; i + kLanes <= p.inner; i += kLanes) store(to + i, fma(load(from + i) - m, a, b));
            const int64_t rest = p.inner - i;
            if (rest > 0) store_part(to + i, fma(load_part(from + i, rest) - m, a, b), rest);
        }
    }
}

}  // namespace

const NormKernels norm = {Isa::TENON_ISA, layer_norm, rms_norm, group_norm};

}  // namespace tenon::cpu::TENON_ISA
