// Parts of a row's normalisation that other kernels share.

namespace tenon::cpu::TENON_ISA {
namespace {

// y = (x - mean) * factor * scale + bias.
void normalize(const float* x, float mean, float factor, const float* scale, const float* bias, float* y, int64_t n) {
    const F32 m = set(mean), f = set(factor);
    for (int64_t i = 0; i < n; i += kLanes) {
        const int64_t count = n - i;
        if (count >= kLanes) {
            F32 v = (load(x + i) - m) * f;
            if (scale != nullptr && bias != nullptr) {
                v = fma(v, load(scale + i), load(bias + i));
            } else if (scale != nullptr) {
                v = v * load(scale + i);
            } else if (bias != nullptr) {
                v = v + load(bias + i);
            }
            store(y + i, v);
        } else {
            F32 v = (load_part(x + i, count) - m) * f;
            if (scale != nullptr) v = v * load_part(scale + i, count);
            if (bias != nullptr) v = v + load_part(bias + i, count);
            store_part(y + i, v, count);
        }
    }
}

double variance_around(const float* x, float mean, int64_t n) {
    const F32 m = set(mean);
    return sum_of(x, n, [m](F32 v) { return (v - m) * (v - m); }) / static_cast<double>(n);
}

}  // namespace
}  // namespace tenon::cpu::TENON_ISA
