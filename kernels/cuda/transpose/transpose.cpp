#include "transpose/transpose.h"

#include "common/planner.h"
#include "transpose/transpose_params.h"

using namespace tenon::cuda;

namespace {

struct Axis {
    int64_t size, x_stride, y_stride;
};

// Drops axes of size 1 and joins neighbours that lie together in x; y is dense. Returns how many are left.
int collapse(const tenon_cuda_transpose& a, Axis* axes) {
    int rank = 0;
    for (int64_t k = 0; k < a.rank; k++) {
        if (a.dims[k] == 1) continue;
        if (rank > 0 && axes[rank - 1].x_stride == a.dims[k] * a.x_strides[k]) {
            axes[rank - 1] = {axes[rank - 1].size * a.dims[k], a.x_strides[k], 0};
        } else {
            axes[rank++] = {a.dims[k], a.x_strides[k], 0};
        }
    }
    int64_t stride = 1;
    for (int k = rank - 1; k >= 0; k--) {
        axes[k].y_stride = stride;
        stride *= axes[k].size;
    }
    return rank;
}

// Copies runs of the innermost axis when it is dense in x, else single elements.
int32_t plan_gather(Planner& planner, const tenon_cuda_transpose& a, Axis* axes, int rank) {
    const int64_t e = a.element_bytes;
    if (rank == 0) axes[rank++] = {1, 1, 1};
    int64_t unit = e;
    auto fits = [&](int64_t bytes, bool whole) {
        bool fit = axes[rank - 1].x_stride == 1 && aligned(a.x, bytes) && aligned(a.y, bytes) &&
                   (whole || axes[rank - 1].size * e % bytes == 0);
        for (int k = 0; k < rank - 1; k++) fit = fit && axes[k].x_stride * e % bytes == 0;
        return fit;
    };
    // One run may end with part of a unit: a second launch copies that.
    const bool one_run = rank == 1 && fits(16, true) && axes[0].size * e >= 16;
    for (int64_t bytes = 2; bytes <= 16; bytes *= 2) {
        if (bytes > e && (one_run || fits(bytes, false))) unit = bytes;
    }
    static const char* const names[] = {"tenon_transpose_gather_1", "tenon_transpose_gather_2",
                                        "tenon_transpose_gather_4", "tenon_transpose_gather_8",
                                        "tenon_transpose_gather_16"};
    auto launch = [&](int64_t unit_bytes, int64_t done_bytes, const Axis* of) {
        int64_t dims[kMaxRank], strides[kMaxRank], n = 1;
        for (int k = 0; k < rank; k++) {
            bool inner = k == rank - 1;
            dims[k] = inner ? of[k].size * e / unit_bytes : of[k].size;
            strides[k] = inner && of[k].x_stride == 1 ? 1 : of[k].x_stride * e / unit_bytes;
            n *= dims[k];
        }
        GatherParams p{static_cast<const char*>(a.x) + done_bytes, static_cast<char*>(a.y) + done_bytes, n,
                       make_walk(rank, dims, strides)};
        int name = 0;
        while (1 << name < unit_bytes) name++;
        planner.launch(names[name], {divide_up(n, kGatherThreads * kGatherItems)}, kGatherThreads, 0, p);
    };
    launch(unit, 0, axes);
    if (one_run && axes[0].size * e % unit != 0) {
        int64_t done = axes[0].size * e / unit * unit;
        Axis rest{axes[0].size - done / e, 1, 1};
        launch(e, done, &rest);
    }
    return planner.done();
}

// Planes of rows (the innermost axis of y) and columns (axis `inner`, the innermost of x).
int32_t plan_tiles(Planner& planner, const tenon_cuda_transpose& a, const Axis* axes, int rank, int inner) {
    const int64_t e = a.element_bytes;
    const Axis &row = axes[rank - 1], &column = axes[inner];
    TileParams p{a.x, a.y, row.size, column.size, row.x_stride, column.y_stride, {}, {}, 0, 0, {}, {}};
    int64_t dims[kMaxRank], strides[kMaxRank], planes = 1;
    int outer = 0;
    bool x_vectors = row.x_stride * e % 16 == 0 && column.size * e % 16 == 0 && aligned(a.x, 16);
    bool y_vectors = column.y_stride * e % 16 == 0 && row.size * e % 16 == 0 && aligned(a.y, 16);
    bool x_words = row.x_stride * e % 4 == 0 && column.size * e % 4 == 0 && aligned(a.x, 4);
    bool y_words = column.y_stride * e % 4 == 0 && row.size * e % 4 == 0 && aligned(a.y, 4);
    for (int k = 0; k < rank - 1; k++) {
        if (k == inner) continue;
        dims[outer] = axes[k].size;
        strides[outer] = axes[k].x_stride;
        p.y_strides[outer++] = axes[k].y_stride;
        planes *= axes[k].size;
        x_vectors = x_vectors && axes[k].x_stride * e % 16 == 0;
        y_vectors = y_vectors && axes[k].y_stride * e % 16 == 0;
        x_words = x_words && axes[k].x_stride * e % 4 == 0;
        y_words = y_words && axes[k].y_stride * e % 4 == 0;
    }
    if (outer == 0) {
        dims[0] = 1;
        strides[outer++] = 0;
    }
    struct Shape {
        int64_t rows, columns, threads;
        const char *any, *vectors;
    };
#define TENON_SHAPE(bytes)                                                            \
    {                                                                                 \
        TileShape<bytes>::rows, TileShape<bytes>::columns, TileShape<bytes>::threads, \
            "tenon_transpose_tile_any_" #bytes, "tenon_transpose_tile_" #bytes        \
    }
    static const Shape shapes[] = {TENON_SHAPE(1), TENON_SHAPE(2), TENON_SHAPE(4), TENON_SHAPE(8)};
    const Shape& shape = shapes[e == 1 ? 0 : e == 2 ? 1 : e == 4 ? 2 : 3];
    const int64_t row_tiles = divide_up(row.size, shape.rows);
    const int64_t column_tiles = divide_up(column.size, shape.columns);
    if (planes > INT32_MAX / row_tiles / column_tiles) {
        return planner.unsupported("%lld planes of %lld x %lld elements are more than 2^31 - 1 tiles",
                                   (long long)planes, (long long)row.size, (long long)column.size);
    }
    p.row_tiles = make_divisor(row_tiles);
    p.column_tiles = make_divisor(column_tiles);
    p.planes = make_walk(outer, dims, strides);
    p.x_access = static_cast<int32_t>(x_words && e < 4 ? 4 : e);
    p.y_access = static_cast<int32_t>(y_words && e < 4 ? 4 : e);
    planner.launch(x_vectors && y_vectors ? shape.vectors : shape.any, {planes * row_tiles * column_tiles},
                   shape.threads, 0, p);
    return planner.done();
}

}  // namespace

int32_t tenon_cuda_transpose_plan(const tenon_cuda_transpose* args, const tenon_cuda_device*, tenon_cuda_plan* plan) {
    Planner planner(plan);
    const tenon_cuda_transpose& a = *args;
    const int64_t e = a.element_bytes;
    if (e != 1 && e != 2 && e != 4 && e != 8) {
        return planner.invalid("element_bytes is %lld; expected 1, 2, 4 or 8", (long long)e);
    }
    if (a.rank < 0 || a.rank > kMaxRank) return planner.invalid("rank is %lld; expected 0 to 8", (long long)a.rank);
    bool empty = false;
    for (int64_t k = 0; k < a.rank; k++) {
        if (a.dims[k] < 0) return planner.invalid("dims[%lld] is %lld", (long long)k, (long long)a.dims[k]);
        if (a.x_strides[k] < 0) {
            return planner.invalid("x_strides[%lld] is %lld; expected 0 or more", (long long)k,
                                   (long long)a.x_strides[k]);
        }
        empty = empty || a.dims[k] == 0;
    }
    if (empty) return planner.done();
    if (!a.x || !a.y) return planner.invalid("%s is null", a.x ? "y" : "x");
    if (!fits(e, a.dims, a.rank)) return planner.unsupported("y has more than 2^40 bytes");
    for (int64_t k = 0; k < a.rank; k++) {
        if (!fits(e, {Stride{a.dims[k], a.x_strides[k]}})) {
            return planner.unsupported("x_strides[%lld] is %lld: x spans more than 2^40 bytes", (long long)k,
                                       (long long)a.x_strides[k]);
        }
    }

    Axis axes[kMaxRank];
    int rank = collapse(a, axes);
    if (rank > 1 && axes[rank - 1].x_stride != 1) {
        int inner = -1;
        for (int k = 0; k < rank - 1; k++) {
            if (axes[k].x_stride == 1 && (inner < 0 || axes[k].size > axes[inner].size)) inner = k;
        }
        // Narrow or small planes would leave most of a tile empty.
        auto capped = [&](int k) { return axes[k].size < 128 / e ? axes[k].size : 128 / e; };
        if (inner >= 0 && axes[inner].size * e >= 16 && axes[rank - 1].size * e >= 16 &&
            capped(inner) * capped(rank - 1) * e >= 512) {
            return plan_tiles(planner, a, axes, rank, inner);
        }
    }
    return plan_gather(planner, a, axes, rank);
}
