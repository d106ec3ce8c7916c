// Units are walked with an odometer over the outer dims; a unit is a piece of an innermost row.

namespace tenon::cpu::TENON_ISA {
namespace {

template <class T>
void copy_piece(const char* src, int64_t src_stride, char* dst, int64_t dst_stride, int64_t n) {
    const int64_t s = src_stride / static_cast<int64_t>(sizeof(T)), d = dst_stride / static_cast<int64_t>(sizeof(T));
    const T* x = reinterpret_cast<const T*>(src);
    T* y = reinterpret_cast<T*>(dst);
    if (s == 1 && d == 1) {
        __builtin_memcpy(y, x, static_cast<uint64_t>(n) * sizeof(T));
    } else if (s == 0 && d == 1) {
        const T v = *x;
        for (int64_t i = 0; i < n; ++i) y[i] = v;
    } else if (d == 1) {
        for (int64_t i = 0; i < n; ++i) y[i] = x[i * s];
    } else {
        for (int64_t i = 0; i < n; ++i) y[i * d] = x[i * s];
    }
}

// piece(src, dst, n) for every unit; src moves by src_step times the strides: 0 leaves it where it is.
template <class Piece>
void walk(const CopyPlan& plan, const char* src, int64_t src_step, char* dst, int64_t unit_begin, int64_t unit_end,
          Piece piece) {
    if (unit_begin >= unit_end) return;
    int64_t index[kCopyMaxRank];
    int64_t outer = unit_begin / plan.chunks, chunk = unit_begin - outer * plan.chunks;
    int64_t from = 0, to = 0;
    for (int32_t d = plan.rank - 1; d >= 0; --d) {
        index[d] = outer % plan.dims[d];
        outer /= plan.dims[d];
        from += index[d] * plan.src_strides[d];
        to += index[d] * plan.dst_strides[d];
    }
    for (int64_t unit = unit_begin; unit < unit_end; ++unit) {
        const int64_t first = chunk * plan.chunk, left = plan.inner - first;
        piece(src + (from + first * plan.inner_src_stride) * src_step, dst + to + first * plan.inner_dst_stride,
              left < plan.chunk ? left : plan.chunk);
        if (++chunk < plan.chunks) continue;
        chunk = 0;
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

template <class T>
void typed(const CopyPlan& plan, const void* src, bool fills, void* dst, int64_t unit_begin, int64_t unit_end) {
    const int64_t src_stride = fills ? 0 : plan.inner_src_stride;
    walk(plan, static_cast<const char*>(src), fills ? 0 : 1, static_cast<char*>(dst), unit_begin, unit_end,
         [&](const char* from, char* to, int64_t n) { copy_piece<T>(from, src_stride, to, plan.inner_dst_stride, n); });
}

void any_type(const CopyPlan& plan, const void* src, bool fills, void* dst, int64_t unit_begin, int64_t unit_end) {
    switch (plan.element_bytes) {
        case 1:
            return typed<uint8_t>(plan, src, fills, dst, unit_begin, unit_end);
        case 2:
            return typed<uint16_t>(plan, src, fills, dst, unit_begin, unit_end);
        case 4:
            return typed<uint32_t>(plan, src, fills, dst, unit_begin, unit_end);
        default:
            return typed<uint64_t>(plan, src, fills, dst, unit_begin, unit_end);
    }
}

void run(const CopyPlan& plan, const void* src, void* dst, int64_t unit_begin, int64_t unit_end) {
    any_type(plan, src, false, dst, unit_begin, unit_end);
}

void fill(const CopyPlan& plan, const void* value, void* dst, int64_t unit_begin, int64_t unit_end) {
    any_type(plan, value, true, dst, unit_begin, unit_end);
}

}  // namespace

const CopyKernels copy = {Isa::TENON_ISA, run, fill};

}  // namespace tenon::cpu::TENON_ISA
