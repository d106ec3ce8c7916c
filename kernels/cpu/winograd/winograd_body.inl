// The algorithm of winograd.h, once for all instruction sets: input transform -> (m+2)^2 products -> output transform.
//
// A block of tiles is transformed into V[point][row tile][channel block][tile][16]. Then, for each panel of 32 output
// channels: the products of all points, M[point][row tile][channel block][tile][16], and at once their output
// transform, while M is in the second-level cache. Each panel of weights U[panel][point][channel][32] is read once per
// block, in order; V is read again for every panel, but at 2 bytes a cycle, which every cache level sustains.

#include "../gemm/gemm_tile.inl"
#include "winograd_variants.h"

namespace tenon::cpu::TENON_ISA {
namespace {

// Interpolation points 0, +-a, +-b, infinity.
struct F4x4 {
    static constexpr int m = 4;
    static constexpr float a = 0.625f, b = 1.5f, a2 = a * a, b2 = b * b, a3 = a * a * a, b3 = b * b * b;

    // B^T t, one dimension.
    TENON_INLINE static void input(const F32x16 (&t)[6], F32x16 (&out)[6]) {
        const F32x16 product = set1(a2 * b2), total = set1(a2 + b2);
        out[0] = fma(product, t[0], fnma(total, t[2], t[4]));
        inner(t, a, b2, out[1], out[2]);
        inner(t, b, a2, out[3], out[4]);
        out[5] = fma(product, t[1], fnma(total, t[3], t[5]));
    }
    // Rows of the points +-p, where q2 is the square of the other pair.
    TENON_INLINE static void inner(const F32x16 (&t)[6], float p, float q2, F32x16& plus, F32x16& minus) {
        const F32x16 even = fnma(set1(q2), t[2], t[4]), odd = fnma(set1(q2), t[1], t[3]);
        plus = fma(set1(p), odd, even);
        minus = fnma(set1(p), odd, even);
    }

    static void transform_input(const float* __restrict d, int64_t row, float* __restrict v, int64_t point) {
        // Rows of the result in pairs, so that they stay in registers between the two dimensions.
        F32x16 first[6], second[6];
        const F32x16 product = set1(a2 * b2), total = set1(a2 + b2);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) {
            const float* p = d + j * 16;
            first[j] = fma(product, load(p), fnma(total, load(p + 2 * row), load(p + 4 * row)));
            second[j] = fma(product, load(p + row), fnma(total, load(p + 3 * row), load(p + 5 * row)));
        }
        put(first, v, point);
        put(second, v + 30 * point, point);
        for (int pair = 0; pair < 2; ++pair) {
            const F32x16 p = set1(pair == 0 ? a : b), q2 = set1(pair == 0 ? b2 : a2);
#pragma GCC unroll 6
            for (int j = 0; j < 6; ++j) {
                const float* s = d + j * 16 + row;
                const F32x16 even = fnma(q2, load(s + row), load(s + 3 * row));
                const F32x16 odd = fnma(q2, load(s), load(s + 2 * row));
                first[j] = fma(p, odd, even);
                second[j] = fnma(p, odd, even);
            }
            put(first, v + (1 + 2 * pair) * 6 * point, point);
            put(second, v + (2 + 2 * pair) * 6 * point, point);
        }
    }
    TENON_INLINE static void put(const F32x16 (&t)[6], float* v, int64_t point) {
        F32x16 out[6];
        input(t, out);
#pragma GCC unroll 6
        for (int j = 0; j < 6; ++j) store(v + j * point, out[j]);
    }

    // A^T t, one dimension.
    TENON_INLINE static void output(const F32x16 (&t)[6], F32x16 (&out)[4]) {
        const F32x16 s1 = add(t[1], t[2]), d1 = sub(t[1], t[2]), s2 = add(t[3], t[4]), d2 = sub(t[3], t[4]);
        out[0] = add(t[0], add(s1, s2));
        out[1] = fma(set1(a), d1, mul(set1(b), d2));
        out[2] = fma(set1(a2), s1, mul(set1(b2), s2));
        out[3] = fma(set1(a3), d1, fma(set1(b3), d2, t[5]));
    }
};

// Interpolation points 0, +-1, infinity.
struct F2x2 {
    static constexpr int m = 2;

    TENON_INLINE static void input(const F32x16 (&t)[4], F32x16 (&out)[4]) {
        out[0] = sub(t[2], t[0]);
        out[1] = add(t[1], t[2]);
        out[2] = sub(t[2], t[1]);
        out[3] = sub(t[3], t[1]);
    }

    static void transform_input(const float* __restrict d, int64_t row, float* __restrict v, int64_t point) {
        F32x16 t[4][4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
            const float* p = d + j * 16;
            const F32x16 column[4] = {load(p), load(p + row), load(p + 2 * row), load(p + 3 * row)};
            F32x16 out[4];
            input(column, out);
#pragma GCC unroll 4
            for (int i = 0; i < 4; ++i) t[i][j] = out[i];
        }
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) {
            F32x16 out[4];
            input(t[i], out);
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) store(v + (i * 4 + j) * point, out[j]);
        }
    }

    TENON_INLINE static void output(const F32x16 (&t)[4], F32x16 (&out)[2]) {
        out[0] = add(t[0], add(t[1], t[2]));
        out[1] = add(sub(t[1], t[2]), t[3]);
    }
};

struct Range {
    int64_t first, last;
};

Range share(int64_t count, int64_t part, int64_t parts) {
    const int64_t low = count / parts, raised = count % parts;
    const int64_t first = part * low + (part < raised ? part : raised);
    return {first, first + low + (part < raised ? 1 : 0)};
}

template <typename T>
struct Winograd {
    static constexpr int64_t m = T::m, side = m + 2, points = side * side;

    const WinogradPlan& plan;
    const WinogradArgs& args;
    const WinogradShape& shape;
    int64_t in_blocks, out_blocks, out_height, out_width;

    Winograd(const WinogradPlan& p, const WinogradArgs& a)
        : plan(p),
          args(a),
          shape(p.shape),
          in_blocks((p.shape.in_channels + 15) / 16),
          out_blocks((p.shape.out_channels + 15) / 16),
          out_height(p.shape.out_height()),
          out_width(p.shape.out_width()) {}

    struct Position {
        int64_t image, y, x;  // of the tile's first output
    };
    Position position(int64_t tile) const {
        const int64_t row = tile / plan.tiles_x;
        return {row / plan.tiles_y, row % plan.tiles_y * m, tile % plan.tiles_x * m};
    }

    // m columns of pixels that tiles to the right will read or write: the processor does not foresee so many short
    // rows. Addresses past the end do no harm.
    template <int64_t rows, int write>
    static TENON_INLINE void prefetch(const float* pixels, int64_t width) {
        for (int64_t i = 0; i < rows; ++i, pixels += width * 16) {
            for (int64_t j = 0; j < m; ++j) __builtin_prefetch(pixels + j * 16, write);
        }
    }

    // Channel block `block` of one tile; v points at its 16 floats of point 0.
    void transform_tile(const Position& at, int64_t block, float* v, int64_t point) const {
        const int64_t height = shape.in_height, width = shape.in_width;
        const float* image = args.src + (at.image * in_blocks + block) * height * width * 16;
        const int64_t y = at.y - shape.pad_top, x = at.x - shape.pad_left;
        if (y >= 0 && x >= 0 && y + side <= height && x + side <= width) {
            const float* pixels = image + (y * width + x) * 16;
            prefetch<side, 0>(pixels + (2 * m + 2) * 16, width);
            T::transform_input(pixels, width * 16, v, point);
            return;
        }
        alignas(64) float window[points * 16];
        for (int64_t i = 0; i < side; ++i) {
            for (int64_t j = 0; j < side; ++j) {
                const bool inside = y + i >= 0 && y + i < height && x + j >= 0 && x + j < width;
                const float* pixel = image + ((y + i) * width + x + j) * 16;
                store(window + (i * side + j) * 16, inside ? load(pixel) : set1(0.0f));
            }
        }
        T::transform_input(window, side * 16, v, point);
    }

    // Units (row tile, channel block) of a block of tiles, row tiles outermost.
    void transform_units(int64_t first_tile, int64_t tiles, Range units, float* v) const {
        const RowTiles row_tiles(tiles);
        const int64_t point = tiles * in_blocks * 16;
        for (int64_t unit = units.first; unit < units.last; ++unit) {
            const int64_t index = unit / in_blocks, block = unit % in_blocks;
            const int64_t first = row_tiles.first(index), rows = row_tiles.rows(index);
            for (int64_t r = 0; r < rows; ++r) {
                transform_tile(position(first_tile + first + r), block, v + (first * in_blocks + block * rows + r) * 16,
                               point);
            }
        }
    }

    // products: 16 floats of point 0; point: distance of points. 16 output channels of one tile.
    void finish_tile(const Position& at, int64_t block, const float* products, int64_t point) const {
        F32x16 half[m][side];
#pragma GCC unroll 6
        for (int j = 0; j < side; ++j) {
            F32x16 column[side], out[m];
#pragma GCC unroll 6
            for (int i = 0; i < side; ++i) column[i] = load(products + (i * side + j) * point);
            T::output(column, out);
#pragma GCC unroll 4
            for (int i = 0; i < m; ++i) half[i][j] = out[i];
        }
        const int64_t channels = shape.out_channels - block * 16, lanes = channels < 16 ? channels : 16;
        const F32x16 bias = args.bias == nullptr ? set1(0.0f) : load_first(args.bias + block * 16, lanes);
        const F32x16 low = set1(args.low), high = set1(args.high);
        const int64_t rows = out_height - at.y < m ? out_height - at.y : m;
        const int64_t columns = out_width - at.x < m ? out_width - at.x : m;
        const int64_t offset = (((at.image * out_blocks + block) * out_height + at.y) * out_width + at.x) * 16;
        prefetch<m, 1>(args.dst + offset + m * 16, out_width);
#pragma GCC unroll 4
        for (int i = 0; i < m; ++i) {
            if (i >= rows) break;
            F32x16 out[m];
            T::output(half[i], out);
            const int64_t row = offset + i * out_width * 16;
#pragma GCC unroll 4
            for (int j = 0; j < m; ++j) {
                if (j >= columns) break;
                F32x16 y = add(out[j], bias);
                if (args.residual != nullptr) y = add(y, load(args.residual + row + j * 16));
                y = min(high, max(low, y));
                if (lanes < 16) y = keep_first(y, lanes, set1(0.0f));
                store(args.dst + row + j * 16, y);
            }
        }
    }

    void multiply_panel(int64_t panel, int64_t first_tile, int64_t tiles, const float* v, float* products) const {
        const RowTiles row_tiles(tiles);
        const int64_t channels = in_blocks * 16;
        const int64_t vectors = out_blocks - panel * 2 < 2 ? 1 : 2, width = vectors * 16;
        const float* weights = args.packed + panel * points * channels * 32;
        for (int64_t p = 0; p < points; ++p) {
            for (int64_t index = 0; index < row_tiles.count; ++index) {
                const int64_t first = row_tiles.first(index);
                gemm_panel(row_tiles.rows(index), vectors, v + (p * tiles + first) * channels,
                           weights + p * channels * width, width, channels, products + (p * tiles + first) * width,
                           nullptr);
            }
        }
        for (int64_t index = 0; index < row_tiles.count; ++index) {
            const int64_t first = row_tiles.first(index), rows = row_tiles.rows(index);
            for (int64_t n = 0; n < vectors; ++n) {
                for (int64_t r = 0; r < rows; ++r) {
                    finish_tile(position(first_tile + first + r), panel * 2 + n,
                                products + first * width + (n * rows + r) * 16, tiles * width);
                }
            }
        }
    }

    void run(int64_t phase, int64_t thread) const {
        const int64_t tiles = shape.batch * plan.tiles_y * plan.tiles_x;
        const int64_t panels = (out_blocks + 1) / 2;
        if (plan.phases == 2) {
            float* products = args.scratch + plan.input_floats + thread * plan.product_floats;
            if (phase == 0) {
                const int64_t units = RowTiles(tiles).count * in_blocks;
                transform_units(0, tiles, share(units, thread, plan.threads), args.scratch);
                return;
            }
            const Range mine = share(panels, thread, plan.threads);
            for (int64_t panel = mine.first; panel < mine.last; ++panel) {
                multiply_panel(panel, 0, tiles, args.scratch, products);
            }
            return;
        }
        float* v = args.scratch + thread * (plan.input_floats + plan.product_floats);
        const int64_t blocks = (tiles + plan.block_tiles - 1) / plan.block_tiles;
        const Range mine = share(blocks, thread, plan.threads);
        for (int64_t block = mine.first; block < mine.last; ++block) {
            const Range range = share(tiles, block, blocks);
            const int64_t count = range.last - range.first;
            transform_units(range.first, count, {0, RowTiles(count).count * in_blocks}, v);
            for (int64_t panel = 0; panel < panels; ++panel) {
                multiply_panel(panel, range.first, count, v, v + plan.input_floats);
            }
        }
    }
};

}  // namespace

void winograd_run_phase(const WinogradPlan& plan, const WinogradArgs& args, int64_t phase, int64_t thread) {
    if (plan.tile == WinogradTile::f4x4) {
        Winograd<F4x4>(plan, args).run(phase, thread);
    } else {
        Winograd<F2x2>(plan, args).run(phase, thread);
    }
}

// All outputs of the panel at once, lane by lane, in double precision: weights are transformed once, used often.
void winograd_pack_panel(const WinogradWeights& p) {
    constexpr int64_t kWidth = 32;
    alignas(64) float w[9][kWidth] = {};
    alignas(64) double half[3][6][kWidth];  // (G w)^T
    alignas(64) float u[kWidth];
    for (int64_t c = 0; c < p.channels; ++c) {
        if (c < p.in_channels) {
            const float* from = p.weights + (p.first * p.in_channels + c) * 9;
            for (int64_t k = 0; k < p.outputs; ++k, from += p.in_channels * 9) {
                for (int64_t x = 0; x < 9; ++x) w[x][k] = from[x];
            }
        } else {
            __builtin_memset(w, 0, sizeof w);
        }
        for (int64_t i = 0; i < p.points; ++i) {
            const double g0 = p.transform[i][0], g1 = p.transform[i][1], g2 = p.transform[i][2];
            for (int64_t x = 0; x < 3; ++x) {
                for (int64_t k = 0; k < kWidth; ++k) half[x][i][k] = g0 * w[x][k] + g1 * w[3 + x][k] + g2 * w[6 + x][k];
            }
        }
        for (int64_t i = 0; i < p.points; ++i) {
            for (int64_t j = 0; j < p.points; ++j) {
                const double g0 = p.transform[j][0], g1 = p.transform[j][1], g2 = p.transform[j][2];
                for (int64_t k = 0; k < kWidth; ++k) {
                    u[k] = static_cast<float>(half[0][i][k] * g0 + half[1][i][k] * g1 + half[2][i][k] * g2);
                }
                float* to = p.packed + ((i * p.points + j) * p.channels + c) * p.width;
                __builtin_memcpy(to, u, static_cast<uint64_t>(p.width) * sizeof(float));
            }
        }
    }
}

}  // namespace tenon::cpu::TENON_ISA
