#include "gemv.h"

#include <string.h>

namespace tenon::cpu {

void gemv_pack(const float* w, int64_t row_stride, int64_t col_stride, int64_t k, int64_t n, float* packed,
               int64_t panel_begin, int64_t panel_end) {
    for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
        const int64_t first = panel * kGemvPanel, cols = n - first < kGemvPanel ? n - first : kGemvPanel;
        float* out = packed + first * k;
        if (cols < kGemvPanel) memset(out, 0, static_cast<size_t>(k * kGemvPanel) * sizeof(float));
        if (col_stride == 1) {
            for (int64_t i = 0; i < k; ++i) {
                memcpy(out + i * kGemvPanel, w + i * row_stride + first, static_cast<size_t>(cols) * sizeof(float));
            }
            continue;
        }
        // Columns are dense or nearly so: blocks of rows keep the lines of all columns in cache.
        for (int64_t i = 0; i < k; i += 16) {
            const int64_t rows = k - i < 16 ? k - i : 16;
            for (int64_t c = 0; c < cols; ++c) {
                const float* from = w + i * row_stride + (first + c) * col_stride;
                for (int64_t r = 0; r < rows; ++r) out[(i + r) * kGemvPanel + c] = from[r * row_stride];
            }
        }
    }
}

const GemvKernels& select_gemv(Isa max) {
    const Isa best = best_isa(max);
#define TENON_KERNEL(isa, name) \
    if (Isa::isa <= best) return isa::name;
#include "gemv.inc"
#undef TENON_KERNEL
    __builtin_unreachable();
}

}  // namespace tenon::cpu
