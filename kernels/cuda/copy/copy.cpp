#include "copy/copy.h"

#include "common/planner.h"
#include "copy/copy_params.h"

using namespace tenon::cuda;

namespace {

bool bad_element_bytes(int64_t e) {
    return e != 1 && e != 2 && e != 4 && e != 8;
}

struct Axis {
    int64_t start, step, x_size, size, x_stride;
    bool whole() const { return start == 0 && step == 1 && x_size == size; }
};

// Joins neighbours that can be walked as one axis, and drops axes of one element. Returns how many are left, at least
// one. An axis taken whole joins the one outside it, which then counts in runs; mirrored and extended axes do not.
// dropped: where x begins, because of axes that a slice takes one element of.
int collapse(const tenon_cuda_copy& a, const int64_t* x_strides, Axis* axes, int64_t* dropped) {
    int rank = 0;
    *dropped = 0;
    for (int64_t k = 0; k < a.rank; k++) {
        Axis axis{a.starts[k], a.steps[k], a.x_dims[k], a.dims[k], x_strides[k]};
        if (axis.size == 1 && (axis.whole() || a.mode == TENON_CUDA_COPY_SLICE)) {
            *dropped += axis.start * axis.x_stride;
            continue;
        }
        Axis* outer = rank > 0 ? &axes[rank - 1] : nullptr;
        bool runs = a.mode == TENON_CUDA_COPY_SLICE || a.mode == TENON_CUDA_COPY_CONSTANT ||
                    a.mode == TENON_CUDA_COPY_WRAP || (outer && outer->whole());
        if (outer && outer->step == 1 && axis.whole() && runs && outer->x_stride == axis.x_stride * axis.x_size) {
            int64_t n = axis.size;
            *outer = {outer->start * n, 1, outer->x_size * n, outer->size * n, axis.x_stride};
        } else {
            axes[rank++] = axis;
        }
    }
    if (rank == 0) axes[rank++] = {0, 1, 1, 1, 1};
    return rank;
}

// Bytes of the largest unit in which all runs of the innermost axis, and what lies between them, can be counted.
int64_t choose_unit(const tenon_cuda_copy& a, const Axis* axes, int rank, int64_t dropped) {
    const Axis& inner = axes[rank - 1];
    bool runs = inner.step == 1 && inner.x_stride == 1 &&
                (inner.whole() || (a.mode != TENON_CUDA_COPY_REFLECT && a.mode != TENON_CUDA_COPY_EDGE));
    int64_t unit = a.element_bytes;
    for (int64_t bytes = 2; runs && bytes <= 16; bytes *= 2) {
        if (bytes <= unit) continue;
        auto fits = [&](int64_t elements) { return elements * a.element_bytes % bytes == 0; };
        if (!aligned(a.x, bytes) || !aligned(a.y, bytes) || !fits(inner.start) || !fits(inner.size)) break;
        if (!fits(dropped)) break;
        // The rest of x's strides are multiples of this one.
        if ((rank > 1 || a.mode != TENON_CUDA_COPY_SLICE) && !fits(inner.x_size)) break;
        unit = bytes;
    }
    return unit;
}

}  // namespace

int32_t tenon_cuda_copy_plan(const tenon_cuda_copy* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_copy& a = *args;
    const int64_t e = a.element_bytes;
    const bool slice = a.mode == TENON_CUDA_COPY_SLICE;
    if (bad_element_bytes(e)) return planner.invalid("element_bytes is %lld; expected 1, 2, 4 or 8", (long long)e);
    if (a.mode < TENON_CUDA_COPY_SLICE || a.mode > TENON_CUDA_COPY_WRAP) {
        return planner.invalid("mode is %lld; expected 0 to 4", (long long)a.mode);
    }
    if (a.rank < 0 || a.rank > kMaxRank) return planner.invalid("rank is %lld; expected 0 to 8", (long long)a.rank);
    bool empty = false, x_empty = false;
    for (int64_t k = 0; k < a.rank; k++) {
        if (a.dims[k] < 0) return planner.invalid("dims[%lld] is %lld", (long long)k, (long long)a.dims[k]);
        if (a.x_dims[k] < 0) return planner.invalid("x_dims[%lld] is %lld", (long long)k, (long long)a.x_dims[k]);
        if (a.steps[k] == 0 || (!slice && a.steps[k] != 1)) {
            return planner.invalid("steps[%lld] is %lld; expected %s", (long long)k, (long long)a.steps[k],
                                   slice ? "another number than 0" : "1 for padding");
        }
        empty = empty || a.dims[k] == 0;
        x_empty = x_empty || a.x_dims[k] == 0;
    }
    if (empty) return planner.done();
    if (!fits(e, a.dims, a.rank) || !fits(e, a.x_dims, a.rank)) {
        return planner.unsupported("x or y has more than 2^40 bytes");
    }
    for (int64_t k = 0; k < a.rank; k++) {
        // Within +-2^41, and see below, so that nothing overflows.
        const int64_t limit = int64_t{1} << 41, last = a.x_dims[k] - 1;
        if (a.starts[k] < -limit || a.starts[k] > limit) {
            return planner.invalid("starts[%lld] is %lld", (long long)k, (long long)a.starts[k]);
        }
        int64_t end;
        if (slice && (__builtin_mul_overflow(a.steps[k], a.dims[k] - 1, &end) ||
                      __builtin_add_overflow(a.starts[k], end, &end) || a.starts[k] < 0 || a.starts[k] > last ||
                      end < 0 || end > last)) {
            return planner.invalid("axis %lld: %lld elements from %lld in steps of %lld leave the %lld of x",
                                   (long long)k, (long long)a.dims[k], (long long)a.starts[k], (long long)a.steps[k],
                                   (long long)a.x_dims[k]);
        }
        if (!slice && a.mode != TENON_CUDA_COPY_CONSTANT && a.x_dims[k] == 0) {
            return planner.invalid("x_dims[%lld] is 0: there is nothing to pad with", (long long)k);
        }
    }
    if (!a.y || (!a.x && !x_empty)) return planner.invalid("%s is null", a.y ? "x" : "y");

    int64_t x_strides[kMaxRank], stride = 1;
    for (int64_t k = a.rank - 1; k >= 0; k--) {
        x_strides[k] = stride;
        stride *= a.x_dims[k];
        int64_t reach;
        if (__builtin_mul_overflow(a.starts[k], x_strides[k], &reach) || reach < -(int64_t{1} << 58)) {
            return planner.unsupported("starts[%lld] is %lld: too far outside x", (long long)k, (long long)a.starts[k]);
        }
    }
    Axis axes[kMaxRank];
    int64_t dropped;
    const int rank = collapse(a, x_strides, axes, &dropped);
    const int64_t unit = choose_unit(a, axes, rank, dropped), per_unit = unit / e;
    CopyParams p{};
    p.x = a.x;
    p.y = a.y;
    p.n = 1;
    p.first = dropped / per_unit;
    p.mode = static_cast<int32_t>(a.mode);
    p.value = static_cast<uint64_t>(a.value_bits);
    for (int64_t bits = 8 * e; bits < 64; bits *= 2) {
        const uint64_t next = uint64_t{1} << bits;
        p.value = p.value % next * (next + 1);
    }
    int64_t dims[kMaxRank], strides[kMaxRank];
    for (int k = 0; k < rank; k++) {
        // Coordinates of the innermost axis count units; those of the others keep theirs.
        const int64_t divisor = k == rank - 1 ? per_unit : 1;
        dims[k] = axes[k].size / divisor;
        p.starts[k] = axes[k].start / divisor;
        p.sizes[k] = axes[k].x_size / divisor;
        strides[k] = k == rank - 1 ? axes[k].x_stride * axes[k].step : axes[k].x_stride * axes[k].step / per_unit;
        p.first += axes[k].start * axes[k].x_stride / per_unit;
        p.n *= dims[k];
    }
    p.walk = make_walk(rank, dims, strides);
    static const char* const names[2][5] = {
        {"tenon_copy_slice_1", "tenon_copy_slice_2", "tenon_copy_slice_4", "tenon_copy_slice_8", "tenon_copy_slice_16"},
        {"tenon_copy_pad_1", "tenon_copy_pad_2", "tenon_copy_pad_4", "tenon_copy_pad_8", "tenon_copy_pad_16"}};
    int size = 0;
    while (1 << size < unit) size++;
    planner.launch(names[!slice][size], {divide_up(p.n, kCopyThreads * kCopyItems)}, kCopyThreads, 0, p);
    return planner.done();
}

int32_t tenon_cuda_concat_plan(const tenon_cuda_concat* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_concat& a = *args;
    const int64_t e = a.element_bytes;
    if (bad_element_bytes(e)) return planner.invalid("element_bytes is %lld; expected 1, 2, 4 or 8", (long long)e);
    if (a.split != 0 && a.split != 1) return planner.invalid("split is %lld; expected 0 or 1", (long long)a.split);
    if (a.count < 0) return planner.invalid("count is %lld", (long long)a.count);
    if (a.count > TENON_CUDA_CONCAT_MAX_PARTS) return planner.unsupported("%lld parts; 80 at most", (long long)a.count);
    if (a.outer < 0) return planner.invalid("outer is %lld", (long long)a.outer);
    if (a.inner < 0) return planner.invalid("inner is %lld", (long long)a.inner);
    int64_t axis = 0;
    for (int64_t i = 0; i < a.count; i++) {
        if (a.sizes[i] < 0) return planner.invalid("sizes[%lld] is %lld", (long long)i, (long long)a.sizes[i]);
        if (__builtin_add_overflow(axis, a.sizes[i], &axis)) axis = INT64_MAX;
    }
    if (axis == 0 || a.outer == 0 || a.inner == 0) return planner.done();
    if (!fits(e, {a.outer, axis, a.inner})) return planner.unsupported("whole has more than 2^40 bytes");
    if (!a.whole) return planner.invalid("whole is null");

    ConcatParams p{};
    p.whole = a.whole;
    p.whole_row_bytes = axis * a.inner * e;
    p.outer = a.outer;
    p.split = a.split;
    int64_t offset = 0, blocks = 0;
    int count = 0;
    auto launch = [&] {
        for (int k = count; k < kConcatParts; k++) p.parts[k].first_block = UINT32_MAX;
        planner.launch("tenon_copy_concat", {blocks}, kCopyThreads, 0, p);
        count = 0;
        blocks = 0;
    };
    for (int64_t i = 0; i < a.count; i++) {
        const int64_t row = a.sizes[i] * a.inner * e;
        if (row == 0) continue;
        if (!a.parts[i]) return planner.invalid("parts[%lld] is null", (long long)i);
        if (count == kConcatParts) launch();
        int64_t unit = 16;
        while (!aligned(a.parts[i], unit) || !aligned(static_cast<char*>(a.whole) + offset, unit) || row % unit != 0 ||
               (a.outer > 1 && p.whole_row_bytes % unit != 0)) {
            unit /= 2;
        }
        const int64_t n = a.outer * row / unit;
        ConcatPart& part = p.parts[count++];
        part = {a.parts[i], n, offset, {}, static_cast<uint32_t>(blocks), static_cast<uint32_t>(unit)};
        if (n <= INT32_MAX) part.row = make_divisor(row / unit);
        blocks += divide_up(n, kCopyThreads * kCopyItems);
        offset += row;
    }
    launch();
    return planner.done();
}
