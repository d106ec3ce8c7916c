// The micro-kernel under Winograd convolution and attention, fp32: a tile of R rows x NV vectors of 16 columns,
//
//   c[r, n] = (first ? 0 : c[r, n] * scale[r]) + sum_k a[r, k] * b[k, n]
//
// with the R * NV sums in registers. a and c are tile-blocked: element (r, k) at (k / 16 * R + r) * 16 + k % 16, so
// that a product's result is directly the next product's operand, every access is a full cache line, and no address of
// the inner loop is more than a constant away from a pointer. b is a panel: row k at k * b_stride, NV * 16 floats.
//
// For ISA files only.

#include "f32x16.h"

namespace tenon::cpu::TENON_ISA {

template <int R, int NV>
TENON_INLINE void gemm_tile_step(F32x16 (&sums)[R][NV], const float* a, const float* b) {
    F32x16 row[NV];
#pragma GCC unroll 4
    for (int n = 0; n < NV; ++n) row[n] = load(b + n * 16);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
        const F32x16 value = set1(a[r * 16]);
#pragma GCC unroll 4
        for (int n = 0; n < NV; ++n) sums[r][n] = fma(value, row[n], sums[r][n]);
    }
}

// scale == NULL: c is only written.
template <int R, int NV>
void gemm_tile(const float* __restrict a, const float* __restrict b, int64_t b_stride, int64_t depth,
               float* __restrict c, const float* __restrict scale) {
    F32x16 sums[R][NV];
    if (scale == nullptr) {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
            for (int n = 0; n < NV; ++n) sums[r][n] = set1(0.0f);
        }
    } else {
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
            for (int n = 0; n < NV; ++n) sums[r][n] = mul(load(c + (n * R + r) * 16), set1(scale[r]));
        }
    }
    for (; depth >= 16; depth -= 16, a += R * 16) {
#pragma GCC unroll 4
        for (int k = 0; k < 16; ++k, b += b_stride) gemm_tile_step<R, NV>(sums, a + k, b);
    }
    for (int64_t k = 0; k < depth; ++k, b += b_stride) gemm_tile_step<R, NV>(sums, a + k, b);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int n = 0; n < NV; ++n) store(c + (n * R + r) * 16, sums[r][n]);
    }
}

using GemmTile = void (*)(const float* a, const float* b, int64_t b_stride, int64_t depth, float* c,
                          const float* scale);

// gemm_tiles<NV>[rows - 1], rows <= kTileRows
template <int NV>
struct GemmTiles;

#if defined(__AVX512F__)
#define TENON_GEMM_TILES(NV)                                                                              \
    template <>                                                                                           \
    struct GemmTiles<NV> {                                                                                \
        static constexpr GemmTile rows[kTileRows] = {                                                     \
            gemm_tile<1, NV>,  gemm_tile<2, NV>,  gemm_tile<3, NV>,  gemm_tile<4, NV>, gemm_tile<5, NV>,  \
            gemm_tile<6, NV>,  gemm_tile<7, NV>,  gemm_tile<8, NV>,  gemm_tile<9, NV>, gemm_tile<10, NV>, \
            gemm_tile<11, NV>, gemm_tile<12, NV>, gemm_tile<13, NV>, gemm_tile<14, NV>};                  \
    };
TENON_GEMM_TILES(1)
TENON_GEMM_TILES(2)
#elif defined(__AVX2__)
template <>
struct GemmTiles<1> {
    static constexpr GemmTile rows[kTileRows] = {gemm_tile<1, 1>, gemm_tile<2, 1>, gemm_tile<3, 1>,
                                                 gemm_tile<4, 1>, gemm_tile<5, 1>, gemm_tile<6, 1>};
};
#else
template <>
struct GemmTiles<1> {
    static constexpr GemmTile rows[kTileRows] = {gemm_tile<1, 1>, gemm_tile<2, 1>};
};
#endif
#undef TENON_GEMM_TILES

// Fewer rows and twice the columns, for operands that come from memory: more of each of their rows is read at once.
#if defined(__AVX512F__)
constexpr int kWideRows = 7;
constexpr GemmTile kWideTiles[kWideRows] = {gemm_tile<1, 4>, gemm_tile<2, 4>, gemm_tile<3, 4>, gemm_tile<4, 4>,
                                            gemm_tile<5, 4>, gemm_tile<6, 4>, gemm_tile<7, 4>};
#elif defined(__AVX2__)
constexpr int kWideRows = 1;
constexpr GemmTile kWideTiles[kWideRows] = {gemm_tile<1, 4>};
#else
constexpr int kWideRows = 1;
constexpr GemmTile kWideTiles[kWideRows] = {gemm_tile<1, 4>};
#endif

// Rows of tile `index` when `rows` rows are cut into the fewest tiles of near equal height.
struct RowTiles {
    int64_t count;
    int64_t low;     // rows of a small tile
    int64_t raised;  // the first `raised` tiles have one row more

    explicit TENON_INLINE RowTiles(int64_t rows)
        : count((rows + kTileRows - 1) / kTileRows), low(rows / (count > 0 ? count : 1)), raised(rows - low * count) {}
    TENON_INLINE int64_t first(int64_t index) const { return index * low + (index < raised ? index : raised); }
    TENON_INLINE int64_t rows(int64_t index) const { return low + (index < raised ? 1 : 0); }
};

// c[nv][R][16] for a panel of `vectors` (1 or 2) vectors, in passes of the width this instruction set does best.
TENON_INLINE void gemm_panel(int64_t rows, int64_t vectors, const float* a, const float* b, int64_t b_stride,
                             int64_t depth, float* c, const float* scale) {
    if constexpr (kTileVectors == 2) {
        if (vectors == 2) {
            GemmTiles<kTileVectors>::rows[rows - 1](a, b, b_stride, depth, c, scale);
            return;
        }
    }
    for (int64_t n = 0; n < vectors; ++n) {
        GemmTiles<1>::rows[rows - 1](a, b + n * 16, b_stride, depth, c + n * rows * 16, scale);
    }
}

}  // namespace tenon::cpu::TENON_ISA
