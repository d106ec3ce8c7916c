#pragma once
#include "common/async_copy.cuh"
#include "common/mma.cuh"
#include "common/packed.cuh"
#include "common/reduce.cuh"
#include "common/vector.cuh"
#include "weight_only_gemm/weight_only_gemm_params.h"

namespace tenon::cuda {

// Eight weights of one row to four pairs of T, minus their zero point, exactly. A weight's bits, as the lowest of a
// number's mantissa, make the number 2^10 + weight (f16), 2^7 + weight (bf16) or 2^23 + weight (fp32) without a
// conversion. Signed weights w become unsigned, w + 2^(bits - 1), by `flip`, which has every weight's highest bit.
//   zero(z)        the constants that take 2^e + z off, of z >= 0 as an unsigned weight
//   pairs(w, z, a) fills a
//   kNatural       whether pairs are (0, 1), (2, 3), (4, 5), (6, 7); otherwise (0, 4), (1, 5), (2, 6), (3, 7)
template <class T, int bits>
struct Dequantizer;

template <>
struct Dequantizer<f16, 4> {
    static constexpr bool kNatural = false;
    using Weights = Vec<uint32_t, 1>;
    struct Zero {
        uint32_t low, high;
    };
    uint32_t low_bits, high_bits;

    TENON_DEVICE explicit Dequantizer(uint32_t flip)
        : low_bits(0x64006400u | (flip & 0x000f000fu)), high_bits(0x64006400u | (flip & 0x00f000f0u)) {}
    // The second takes 64 + z off (2^10 + 16 w) / 16.
    static TENON_DEVICE Zero zero(uint32_t z) { return {0xe400e400u + z * 0x00010001u, 0xd400d400u + z * 0x00100010u}; }
    TENON_DEVICE void pairs(const Weights& w, const Zero& z, uint32_t (&a)[4]) const {
        constexpr uint32_t one = 0x3c003c00u, sixteenth = 0x2c002c00u;
        TENON_UNROLL
        for (int i = 0; i < 2; i++) {
            uint32_t v = w.v[0] >> 8 * i;
            a[2 * i] = fma_pair<f16>((v & 0x000f000fu) ^ low_bits, one, z.low);
            a[2 * i + 1] = fma_pair<f16>((v & 0x00f000f0u) ^ high_bits, sixteenth, z.high);
        }
    }
};

template <>
struct Dequantizer<bf16, 4> {
    static constexpr bool kNatural = false;
    using Weights = Vec<uint32_t, 1>;
    using Zero = uint32_t;
    uint32_t low_bits;

    TENON_DEVICE explicit Dequantizer(uint32_t flip) : low_bits(0x43004300u | (flip & 0x000f000fu)) {}
    static TENON_DEVICE Zero zero(uint32_t z) { return 0xc300c300u + z * 0x00010001u; }
    TENON_DEVICE void pairs(const Weights& w, Zero z, uint32_t (&a)[4]) const {
        TENON_UNROLL
        for (int i = 0; i < 4; i++) a[i] = fma_pair<bf16>((w.v[0] >> 4 * i & 0x000f000fu) ^ low_bits, 0x3f803f80u, z);
    }
};

template <>
struct Dequantizer<f16, 8> {
    static constexpr bool kNatural = true;
    using Weights = Vec<uint32_t, 2>;
    using Zero = uint32_t;
    uint32_t flip;

    TENON_DEVICE explicit Dequantizer(uint32_t flip) : flip(flip) {}
    static TENON_DEVICE Zero zero(uint32_t z) { return 0xe400e400u + z * 0x00010001u; }
    TENON_DEVICE void pairs(const Weights& w, Zero z, uint32_t (&a)[4]) const {
        TENON_UNROLL
        for (int i = 0; i < 4; i++) {
            uint32_t pair = permute_bytes(w.v[i / 2] ^ flip, 0x64646464u, i % 2 ? 0x4342u : 0x4140u);
            a[i] = fma_pair<f16>(pair, 0x3c003c00u, z);
        }
    }
};

// 2^23 + the weight at i of eight.
template <int bits>
TENON_DEVICE float fp32_weight(const Vec<uint32_t, bits / 4>& w, int i, uint32_t flip) {
    if constexpr (bits == 4)
        return float_of((w.v[0] >> 4 * i & 15u) ^ (0x4b000000u | (flip & 15u)));
    else
        return float_of(permute_bytes(w.v[i / 4] ^ flip, 0x4b000000u, 0x7440u + i % 4));
}

// bf16 has no room for 2^7 + an eight-bit weight, but for the difference of two: through fp32.
template <>
struct Dequantizer<bf16, 8> {
    static constexpr bool kNatural = true;
    using Weights = Vec<uint32_t, 2>;
    using Zero = float;
    uint32_t flip;

    TENON_DEVICE explicit Dequantizer(uint32_t flip) : flip(flip) {}
    static TENON_DEVICE Zero zero(uint32_t z) { return float_of(0x4b000000u + z); }
    TENON_DEVICE void pairs(const Weights& w, Zero z, uint32_t (&a)[4]) const {
        TENON_UNROLL
        for (int i = 0; i < 4; i++) {
            a[i] = Pack<bf16>::from(fp32_weight<8>(w, 2 * i, flip) - z, fp32_weight<8>(w, 2 * i + 1, flip) - z);
        }
    }
};

// Element i of a row of weights or zero points, as an unsigned weight. Index is unsigned.
template <int bits, class Index>
TENON_DEVICE uint32_t unsigned_weight(const uint8_t* row, Index i, uint32_t flip) {
    return bits == 8 ? row[i] ^ (flip & 255u) : (row[i / 2] >> i % 2 * 4 & 15u) ^ (flip & 15u);
}

template <int bits>
TENON_DEVICE int64_t zero_row_bytes(int64_t groups) {
    return bits == 8 ? groups : (groups + 1) / 2;
}

// Copies `bytes` bytes, the last few at once, the others by async_copy; both addresses are multiples of 16.
TENON_DEVICE void fetch_block(unsigned char* to, const unsigned char* from, int bytes) {
    int i = static_cast<int>(threadIdx.x) * 16;
    TENON_NO_UNROLL
    for (; i + 16 <= bytes; i += kWeightOnlyThreads * 16) async_copy_16(to + i, from + i);
    TENON_NO_UNROLL
    for (int end = min(bytes, i + 16); i < end; i++) to[i] = from[i];
}

// One tile of y on tensor cores. The weights are the mma's 16-row operand, so that few rows of x waste only columns
// of 8. Shared memory: the stages (weights, then rows of x), afterwards the partial sums; then all scales and zero
// points of the block's rows.
template <class T, int bits, int tile>
TENON_DEVICE void weight_only_product(const WeightOnlyParams& p, unsigned char* shared) {
    constexpr WeightOnlyTile t = kWeightOnlyTiles[tile];
    constexpr int rows = t.rows, pieces = t.pieces, piece_k = 128 / bits, stage_k = pieces * piece_k;
    constexpr int warp_k = stage_k / t.k_warps, x_row_bytes = t.x_row_bytes[bits / 8], column_tiles = t.columns / 8;
    constexpr int x_pieces = stage_k / 8;
    using Q = Dequantizer<T, bits>;

    const int thread = static_cast<int>(threadIdx.x);
    const int block = static_cast<int>(blockIdx.x), column0 = block % p.column_tiles * p.columns;
    const int64_t row0 = int64_t{block / p.column_tiles} * rows;
    const int live_rows = static_cast<int>(min(int64_t{rows}, p.n - row0));
    const int live_columns = static_cast<int>(min(int64_t{p.columns}, p.m - column0));
    const int stage_bytes = t.weight_bytes + p.columns * x_row_bytes, ring_bytes = t.stages * stage_bytes;
    const int stages = (p.k - 1) / stage_k + 1;
    unsigned char* scale = shared + ring_bytes;
    unsigned char* zero = scale + rows * p.groups * static_cast<int>(sizeof(T));
    const int zero_bytes = static_cast<int>(zero_row_bytes<bits>(p.groups));

    // This thread's pieces: of weights the same ones of every row_step-th row, of x of every column_step-th column. The
    // swizzle spreads the pieces of eight rows over the banks, whether lanes read 4 bytes of each row or 8.
    constexpr int piece_step = pieces < 32 ? pieces : 32, row_step = kWeightOnlyThreads / piece_step;
    constexpr int column_step = kWeightOnlyThreads / x_pieces;
    static_assert(row_step % 8 == 0 && rows % row_step == 0 && column_step > 0);
    auto swizzle = [](int row) { return (row << 1 & 6) | (row >> 2 & 1); };
    const int row = thread / piece_step, piece = thread % piece_step, column = thread / x_pieces,
              x_piece = thread % x_pieces;
    const unsigned char* weight_from =
        static_cast<const unsigned char*>(p.weight) + (row0 + row) * p.weight_stride_bytes + piece * 16;
    const T* x_from = static_cast<const T*>(p.x) + (column0 + column) * p.x_stride + x_piece * 8;
    const int64_t weight_step = row_step * p.weight_stride_bytes, x_step = column_step * p.x_stride;
    const int weight_to = (row * pieces + (piece ^ swizzle(row))) * 16;
    const int x_to = t.weight_bytes + column * x_row_bytes + x_piece * 16;
    int weight_left = p.k - piece * piece_k, x_left = p.k - x_piece * 8;  // k from this thread's next pieces on
    int to = 0;                                                           // where the next stage goes

    auto fetch = [&] {
        TENON_UNROLL
        for (int i = 0; i < rows / row_step; i++) {
            TENON_UNROLL
            for (int j = 0; j < pieces; j += piece_step) {
                async_copy_16(shared + to + weight_to + (i * row_step * pieces + j) * 16,
                              weight_from + (i * weight_step + j * 16),
                              weight_left > j * piece_k && row + i * row_step < live_rows);
            }
        }
        const T* from = x_from;
        unsigned char* at = shared + to + x_to;
        TENON_NO_UNROLL
        for (int c = column; c < live_columns; c += column_step) {
            async_copy_16(at, from, x_left > 0);
            from += x_step;
            at += column_step * x_row_bytes;
        }
        weight_from += pieces * 16;
        x_from += stage_k;
        weight_left -= stage_k;
        x_left -= stage_k;
        to = to + stage_bytes == ring_bytes ? 0 : to + stage_bytes;
    };

    fetch_block(scale, static_cast<const unsigned char*>(p.scale) + row0 * p.groups * int64_t{sizeof(T)},
                live_rows * p.groups * static_cast<int>(sizeof(T)));
    if (p.zero) {
        fetch_block(zero, static_cast<const unsigned char*>(p.zero) + row0 * zero_bytes, live_rows * zero_bytes);
    }
    for (int s = 0; s < t.stages - 1; s++) {
        if (s < stages) fetch();
        async_copy_commit();
    }

    const int g = lane_id() / 4, q = lane_id() % 4;
    const int k_warp = warp_id() % t.k_warps, warp_row = warp_id() / t.k_warps * 16 * t.row_tiles + g;
    int column_at[column_tiles], piece_at[warp_k / 32];
    TENON_UNROLL
    for (int c = 0; c < column_tiles; c++) {
        // Columns that do not exist repeat the last one: each column of the product is on its own.
        column_at[c] = t.weight_bytes + min(c * 8 + g, live_columns - 1) * x_row_bytes + (k_warp * warp_k + q * 8) * 2;
    }
    TENON_UNROLL
    for (int part = 0; part < warp_k / 32; part++) {
        const int byte = (k_warp * warp_k + part * 32 + q * 8) * bits / 8;
        piece_at[part] = (warp_row * pieces + (byte / 16 ^ swizzle(g))) * 16 + byte % 16;
    }
    const T* row_scale[t.row_tiles * 2];
    const uint8_t* row_zero[t.row_tiles * 2];
    TENON_UNROLL
    for (int r = 0; r < t.row_tiles * 2; r++) {
        row_scale[r] = reinterpret_cast<const T*>(scale) + (warp_row + r * 8) * p.groups;
        row_zero[r] = zero + (warp_row + r * 8) * zero_bytes;
    }

    const Q dequantizer(p.flip);
    float s[t.row_tiles * 2];
    typename Q::Zero z[t.row_tiles * 2];
    TENON_UNROLL
    for (int r = 0; r < t.row_tiles * 2; r++) z[r] = Q::zero(1u << (bits - 1));
    float sum[t.row_tiles][column_tiles][4] = {};
    const unsigned char* at = shared;
    int k = k_warp * warp_k;
    for (int stage = 0; stage < stages; stage++) {
        async_copy_wait<t.stages - 2>();
        __syncthreads();
        if (stage + t.stages - 1 < stages) fetch();
        async_copy_commit();

        // 32 values of k at a time: the lane's part is the eight from 8 * q on, of its rows of weights and of x alike.
        // Past the end of k, x is 0.
        TENON_UNROLL
        for (int part = 0; part < warp_k / 32; part++) {
            if ((part * 32 & p.group_mask) == 0) {
                const uint32_t group = static_cast<uint32_t>(min(k + part * 32, p.k - 1) >> p.group_shift);
                TENON_UNROLL
                for (int r = 0; r < t.row_tiles * 2; r++) s[r] = to_float(row_scale[r][group]);
                if (p.zero) {
                    TENON_UNROLL
                    for (int r = 0; r < t.row_tiles * 2; r++) {
                        z[r] = Q::zero(unsigned_weight<bits>(row_zero[r], group, p.flip));
                    }
                }
            }
            uint32_t b[column_tiles][4];
            TENON_UNROLL
            for (int c = 0; c < column_tiles; c++) {
                auto v = load<4>(reinterpret_cast<const uint32_t*>(at + column_at[c] + part * 64));
                TENON_UNROLL
                for (int i = 0; i < 4; i++) {
                    b[c][i] =
                        Q::kNatural ? v.v[i] : permute_bytes(v.v[i / 2], v.v[i / 2 + 2], i % 2 ? 0x7632u : 0x5410u);
                }
            }
            TENON_UNROLL
            for (int r = 0; r < t.row_tiles; r++) {
                uint32_t first[4], second[4];
                TENON_UNROLL
                for (int half = 0; half < 2; half++) {
                    auto w = load<bits / 4>(
                        reinterpret_cast<const uint32_t*>(at + piece_at[part] + (r * 2 + half) * 8 * pieces * 16));
                    uint32_t a[4];
                    dequantizer.pairs(w, z[r * 2 + half], a);
                    first[half] = a[0], first[2 + half] = a[1];
                    second[half] = a[2], second[2 + half] = a[3];
                }
                TENON_UNROLL
                for (int c = 0; c < column_tiles; c++) {
                    float d[4] = {};
                    mma_m16n8k16<T>(d, first, {b[c][0], b[c][1]});
                    mma_m16n8k16<T>(d, second, {b[c][2], b[c][3]});
                    TENON_UNROLL
                    for (int i = 0; i < 4; i++) sum[r][c][i] += d[i] * s[r * 2 + i / 2];
                }
            }
        }
        k += stage_k;
        at = at + stage_bytes == scale ? shared : at + stage_bytes;
    }

    // The warps that divide k add up in order.
    async_copy_wait<0>();
    __syncthreads();
    float* partial = reinterpret_cast<float*>(shared);
    TENON_UNROLL
    for (int r = 0; r < t.row_tiles; r++) {
        TENON_UNROLL
        for (int c = 0; c < column_tiles; c++) {
            TENON_UNROLL
            for (int i = 0; i < 4; i++) {
                partial[(k_warp * t.columns + c * 8 + q * 2 + i % 2) * t.sum_stride + warp_row + r * 16 + i / 2 * 8] =
                    sum[r][c][i];
            }
        }
    }
    __syncthreads();
    TENON_NO_UNROLL
    for (int e = thread; e < live_columns * rows; e += kWeightOnlyThreads) {
        const int c = e / rows, r = e % rows;
        if (r >= live_rows) continue;
        float total = p.bias ? to_float(static_cast<const T*>(p.bias)[row0 + r]) : 0.0f;
        TENON_UNROLL
        for (int i = 0; i < t.k_warps; i++) total += partial[(i * t.columns + c) * t.sum_stride + r];
        static_cast<T*>(p.y)[(column0 + c) * p.y_stride + row0 + r] = from_float<T>(total);
    }
}

// fp32, which mma does not take: a warp makes 4 columns of y, so that they share x, for up to 4 rows of x. A lane has
// eight consecutive values of k of every 256, the weights of two such steps on their way at once.
template <int bits>
TENON_DEVICE void weight_only_fp32(const WeightOnlyParams& p) {
    constexpr int rows = 4, columns = 4, steps = 2, step_k = 8 * kWarp;
    const int block = static_cast<int>(blockIdx.x), column0 = block % p.column_tiles * columns;
    const int64_t n0 = (int64_t{block / p.column_tiles} * kWeightOnlyWarps + warp_id()) * rows;
    if (n0 >= p.n) return;
    const float* x = static_cast<const float*>(p.x) + column0 * p.x_stride;
    const int live_columns = static_cast<int>(min(int64_t{columns}, p.m - column0));
    float sum[rows][columns] = {};
    for (int k0 = lane_id() * 8; k0 < p.k; k0 += steps * step_k) {
        Vec<uint32_t, bits / 4> w[steps][rows];
        TENON_UNROLL
        for (int i = 0; i < steps; i++) {
            TENON_UNROLL
            for (int r = 0; r < rows; r++) {
                // Rows and values that do not exist repeat others; their products are left out.
                const int64_t n = min(n0 + r, p.n - 1), k = min(k0 + i * step_k, p.k - 8);
                w[i][r] = load_once<bits / 4>(reinterpret_cast<const uint32_t*>(
                    static_cast<const uint8_t*>(p.weight) + n * p.weight_stride_bytes + k * bits / 8));
            }
        }
        TENON_UNROLL
        for (int i = 0; i < steps; i++) {
            const int k = k0 + i * step_k;
            if (k >= p.k) break;
            const uint32_t group = static_cast<uint32_t>(k >> p.group_shift);
            Vec<float, 4> xs[columns][2];
            TENON_UNROLL
            for (int c = 0; c < columns; c++) {
                if (c >= live_columns) break;
                xs[c][0] = load<4>(x + c * p.x_stride + k);
                xs[c][1] = load<4>(x + c * p.x_stride + k + 4);
            }
            TENON_UNROLL
            for (int r = 0; r < rows; r++) {
                const int64_t n = min(n0 + r, p.n - 1);
                uint32_t z = 1u << (bits - 1);
                if (p.zero) {
                    const uint8_t* zero = static_cast<const uint8_t*>(p.zero) + n * zero_row_bytes<bits>(p.groups);
                    z = unsigned_weight<bits>(zero, group, p.flip);
                }
                const float s = static_cast<const float*>(p.scale)[n * p.groups + group];
                float v[8];
                TENON_UNROLL
                for (int j = 0; j < 8; j++) v[j] = fp32_weight<bits>(w[i][r], j, p.flip) - float_of(0x4b000000u + z);
                TENON_UNROLL
                for (int c = 0; c < columns; c++) {
                    if (c >= live_columns) break;
                    float part = 0.0f;
                    TENON_UNROLL
                    for (int j = 0; j < 8; j++) part += v[j] * xs[c][j / 4].v[j % 4];
                    sum[r][c] += part * s;
                }
            }
        }
    }
    TENON_UNROLL
    for (int r = 0; r < rows; r++) {
        TENON_UNROLL
        for (int c = 0; c < columns; c++) {
            const float total = warp_reduce<Sum>(sum[r][c]);
            if (lane_id() != 0 || n0 + r >= p.n || c >= live_columns) continue;
            const float bias = p.bias ? static_cast<const float*>(p.bias)[n0 + r] : 0.0f;
            static_cast<float*>(p.y)[(column0 + c) * p.y_stride + n0 + r] = total + bias;
        }
    }
}

// Any types, groups and alignments, element by element: a warp makes one column of y for `columns` rows of x.
template <class T, int bits>
TENON_DEVICE void weight_only_any(const WeightOnlyParams& p) {
    constexpr int columns = 8;
    const int64_t n = int64_t{blockIdx.x} / p.column_tiles * kWeightOnlyWarps + warp_id();
    const int64_t column0 = int64_t{blockIdx.x} % p.column_tiles * columns;
    if (n >= p.n) return;
    const uint8_t* weight = static_cast<const uint8_t*>(p.weight) + n * p.weight_stride_bytes;
    const uint8_t* zero = p.zero ? static_cast<const uint8_t*>(p.zero) + n * zero_row_bytes<bits>(p.groups) : nullptr;
    const T* x = static_cast<const T*>(p.x) + column0 * p.x_stride;
    float sum[columns] = {};
    for (int group = 0; group < p.groups; group++) {
        const int64_t begin = int64_t{group} * p.group, end = min(begin + p.group, int64_t{p.k});
        const float z = static_cast<float>(zero ? unsigned_weight<bits>(zero, static_cast<uint32_t>(group), p.flip)
                                                : 1u << (bits - 1));
        float part[columns] = {};
        for (int64_t k = begin + lane_id(); k < end; k += kWarp) {
            const float w = static_cast<float>(unsigned_weight<bits>(weight, static_cast<uint64_t>(k), p.flip)) - z;
            TENON_UNROLL
            for (int c = 0; c < columns; c++) {
                if (column0 + c < p.m) part[c] += to_float(x[c * p.x_stride + k]) * w;
            }
        }
        const float s = to_float(static_cast<const T*>(p.scale)[n * p.groups + group]);
        TENON_UNROLL
        for (int c = 0; c < columns; c++) sum[c] += part[c] * s;
    }
    const float bias = p.bias ? to_float(static_cast<const T*>(p.bias)[n]) : 0.0f;
    TENON_UNROLL
    for (int c = 0; c < columns; c++) {
        float total = warp_reduce<Sum>(sum[c]) + bias;
        if (lane_id() == 0 && column0 + c < p.m) {
            static_cast<T*>(p.y)[(column0 + c) * p.y_stride + n] = from_float<T>(total);
        }
    }
}

}  // namespace tenon::cuda
