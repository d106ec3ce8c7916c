// Units are walked with an odometer over the outer dims; a unit is a dense stretch or a piece of a tile plane whose
// cols fill one cache line of src.

namespace tenon::cpu::TENON_ISA {
namespace {

// dst[c * dst_stride + r] = src[r * src_stride + c].
template <class T>
void plain_tile(const T* src, int64_t src_stride, T* dst, int64_t dst_stride, int64_t rows, int64_t cols) {
    for (int64_t c = 0; c < cols; ++c) {
        for (int64_t r = 0; r < rows; ++r) dst[c * dst_stride + r] = src[r * src_stride + c];
    }
}

template <class T>
void tile(const T* src, int64_t src_stride, T* dst, int64_t dst_stride, int64_t rows, int64_t cols) {
    // Blocks of rows keep the lines of src in the first cache level while the cols are gone through.
    constexpr int64_t kRows = 64;
    for (int64_t r = 0; r < rows; r += kRows) {
        const int64_t count = rows - r < kRows ? rows - r : kRows;
        plain_tile(src + r * src_stride, src_stride, dst + r, dst_stride, count, cols);
    }
}

// f32 stands for any 4 bytes.
void tile(const float* src, int64_t src_stride, float* dst, int64_t dst_stride, int64_t rows, int64_t cols) {
    const auto* from = reinterpret_cast<const uint32_t*>(src);
    auto* to = reinterpret_cast<uint32_t*>(dst);
    const int64_t whole_cols = cols / kLanes * kLanes;
    int64_t r = 0;
    for (; r + kLanes <= rows; r += kLanes) {
        for (int64_t c = 0; c < whole_cols; c += kLanes) {
            transpose_square(src + r * src_stride + c, src_stride, dst + c * dst_stride + r, dst_stride);
        }
        plain_tile(from + r * src_stride + whole_cols, src_stride, to + whole_cols * dst_stride + r, dst_stride, kLanes,
                   cols - whole_cols);
    }
    plain_tile(from + r * src_stride, src_stride, to + r, dst_stride, rows - r, cols);
}

template <class T>
void walk(const TransposePlan& plan, const T* src, T* dst, int64_t unit_begin, int64_t unit_end) {
    int64_t index[kTransposeMaxRank];
    int64_t outer = unit_begin / plan.tile_count, piece = unit_begin - outer * plan.tile_count;
    int64_t from = 0, to = 0;
    for (int32_t d = plan.rank - 1; d >= 0; --d) {
        index[d] = outer % plan.dims[d];
        outer /= plan.dims[d];
        from += index[d] * plan.src_strides[d];
        to += index[d] * plan.dst_strides[d];
    }
    for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
        if (plan.kind == TransposePlan::Kind::copy) {
            __builtin_memcpy(dst + to, src + from, static_cast<uint64_t>(plan.copy_elements) * sizeof(T));
        } else {
            const int64_t c = piece * plan.tile_cols, left = plan.cols - c;
            tile(src + from + c, plan.src_row_stride, dst + to + c * plan.dst_col_stride, plan.dst_col_stride,
                 plan.rows, left < plan.tile_cols ? left : plan.tile_cols);
        }
        if (++piece < plan.tile_count) continue;
        piece = 0;
        for (int32_t d = plan.rank - 1; d >= 0; --d) {
            from += plan.src_strides[d];
            to += plan.dst_strides[d];
            if (++index[d] < plan.dims[d]) break;
            from -= index[d] * plan.src_strides[d];
            to -= index[d] * plan.dst_strides[d];
            index[d] = 0;
        }
    }
}

void run(const TransposePlan& plan, const void* src, void* dst, int64_t unit_begin, int64_t unit_end) {
    if (unit_begin >= unit_end) return;
    switch (plan.element_bytes) {
        case 1:
            return walk(plan, static_cast<const uint8_t*>(src), static_cast<uint8_t*>(dst), unit_begin, unit_end);
        case 2:
            return walk(plan, static_cast<const uint16_t*>(src), static_cast<uint16_t*>(dst), unit_begin, unit_end);
        case 4:
            return walk(plan, static_cast<const float*>(src), static_cast<float*>(dst), unit_begin, unit_end);
        default:
            return walk(plan, static_cast<const uint64_t*>(src), static_cast<uint64_t*>(dst), unit_begin, unit_end);
    }
}

}  // namespace

const TransposeKernels transpose = {Isa::TENON_ISA, run};

}  // namespace tenon::cpu::TENON_ISA
