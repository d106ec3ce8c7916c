#include "winograd.h"

#include <math.h>

#include "winograd_variants.h"

namespace tenon::cpu {
namespace {

constexpr int64_t kPanel = 32;
constexpr int64_t kNearWeightBytes = 4 << 20;

int64_t round_up(int64_t n, int64_t multiple) {
    return (n + multiple - 1) / multiple * multiple;
}

int64_t side(WinogradTile tile) {
    return static_cast<int64_t>(tile) + 2;
}

int64_t points(WinogradTile tile) {
    return side(tile) * side(tile);
}

int64_t tile_count(const WinogradShape& shape, WinogradTile tile) {
    const int64_t m = static_cast<int64_t>(tile);
    return shape.batch * ((shape.out_height() + m - 1) / m) * ((shape.out_width() + m - 1) / m);
}

// G of F(m, 3): row i is (1, p, p^2) / prod_{j != i} (p - p_j) for the point p, (0, 0, 1) for infinity.
void weight_transform(WinogradTile tile, double (*g)[3]) {
    const double four[] = {0.0, 0.625, -0.625, 1.5, -1.5}, two[] = {0.0, 1.0, -1.0};
    const double* p = tile == WinogradTile::f4x4 ? four : two;
    const int64_t finite = side(tile) - 1;
    for (int64_t i = 0; i < finite; ++i) {
        double product = 1.0;
        for (int64_t j = 0; j < finite; ++j) product *= j == i ? 1.0 : p[i] - p[j];
        g[i][0] = 1.0 / product;
        g[i][1] = p[i] / product;
        g[i][2] = p[i] * p[i] / product;
    }
    g[finite][0] = 0.0;
    g[finite][1] = 0.0;
    g[finite][2] = 1.0;
}

// A model of the time on the machine of the bench, good enough to rank: multiplications at the core's limit, weights
// once from memory, whichever takes longer.
double seconds(double flops, double weight_bytes, int64_t threads) {
    constexpr double kFlopsPerSecond = 110e9, kBytesPerSecond = 40e9;
    const double compute = flops / (kFlopsPerSecond * static_cast<double>(threads)),
                 read = weight_bytes / kBytesPerSecond;
    return compute > read ? compute : read;
}

double winograd_seconds(const WinogradShape& shape, WinogradTile tile, int64_t threads) {
    constexpr double kTransformSeconds = 100e-9;  // one tile, 16 channels, one direction
    const double tiles = static_cast<double>(tile_count(shape, tile));
    const double in = static_cast<double>(round_up(shape.in_channels, 16));
    const double out = static_cast<double>(round_up(shape.out_channels, 16));
    const double transforms = tiles * (in + out) / 16 * kTransformSeconds * static_cast<double>(points(tile)) / 36;
    return seconds(2.0 * static_cast<double>(points(tile)) * tiles * in * out,
                   static_cast<double>(winograd_packed_bytes(shape, tile)), threads) +
           transforms / static_cast<double>(threads);
}

bool multiply(int64_t a, int64_t* product) {
    return !__builtin_mul_overflow(a, *product, product);
}

}  // namespace

const char* winograd_unsupported(const WinogradShape& s) {
    constexpr int64_t kMax = int64_t{1} << 40;
    if (s.batch < 1 || s.in_channels < 1 || s.in_height < 1 || s.in_width < 1 || s.out_channels < 1) {
        return "every size must be at least 1";
    }
    if (s.batch > kMax || s.in_channels > kMax || s.in_height > kMax || s.in_width > kMax || s.out_channels > kMax) {
        return "a size is above 2^40";
    }
    if (s.pad_top < 0 || s.pad_left < 0 || s.pad_bottom < 0 || s.pad_right < 0) return "padding must not be negative";
    if (s.pad_top > kMax || s.pad_left > kMax || s.pad_bottom > kMax || s.pad_right > kMax) {
        return "padding is above 2^40";
    }
    if (s.out_height() < 1 || s.out_width() < 1) return "the padded input is smaller than the 3x3 window";
    // The largest things: transformed input and weights. 36 / 4 (tile 4) <= 16 (tile 2) floats per output and channel.
    int64_t input = 4 * 36;
    int64_t weights = 4 * 36;
    const int64_t channels = round_up(s.in_channels, 16), outputs = round_up(s.out_channels, kPanel);
    if (!multiply(s.batch, &input) || !multiply(s.out_height() + 4, &input) || !multiply(s.out_width() + 4, &input) ||
        !multiply(channels + outputs, &input) || !multiply(channels, &weights) || !multiply(outputs, &weights)) {
        return "the tensors are too large";
    }
    return nullptr;
}

WinogradTile winograd_best_tile(const WinogradShape& shape, int64_t threads) {
    const double two = winograd_seconds(shape, WinogradTile::f2x2, threads);
    return winograd_seconds(shape, WinogradTile::f4x4, threads) <= two ? WinogradTile::f4x4 : WinogradTile::f2x2;
}

bool winograd_is_profitable(const WinogradShape& shape, int64_t threads) {
    if (shape.in_channels < 16 || shape.out_channels < 16) return false;
    const double products =
        18.0 * shape.batch * shape.out_height() * shape.out_width() * shape.in_channels * shape.out_channels;
    const double weight_bytes = 36.0 * shape.in_channels * shape.out_channels;
    const double direct = seconds(products, weight_bytes, threads);
    return winograd_seconds(shape, winograd_best_tile(shape, threads), threads) < 0.85 * direct;
}

double winograd_tolerance(WinogradTile tile, int64_t in_channels) {
    const double epsilon = 1.1920929e-7;
    const double transforms = tile == WinogradTile::f4x4 ? 40.0 : 8.0;
    return epsilon * (transforms + sqrt(static_cast<double>(in_channels)));
}

int64_t winograd_packed_bytes(const WinogradShape& shape, WinogradTile tile) {
    return points(tile) * round_up(shape.in_channels, 16) * round_up(shape.out_channels, 16) *
           static_cast<int64_t>(sizeof(float));
}

int64_t winograd_pack_slices(const WinogradShape& shape) {
    return (shape.out_channels + kPanel - 1) / kPanel;
}

void winograd_pack(const WinogradShape& shape, WinogradTile tile, const float* weights, float* packed, int64_t first,
                   int64_t last) {
    WinogradWeights w{};
    weight_transform(tile, w.transform);
    w.weights = weights;
    w.in_channels = shape.in_channels;
    w.channels = round_up(shape.in_channels, 16);
    w.points = side(tile);
    const Isa isa = best_isa();
    void (*pack)(const WinogradWeights&) = nullptr;
#define TENON_KERNEL(name) \
    if (pack == nullptr && isa >= Isa::name) pack = name::winograd_pack_panel;
#include "winograd.inc"
    for (int64_t slice = first; slice < last; ++slice) {
        const int64_t begin = slice * kPanel, left = round_up(shape.out_channels, 16) - begin;
        w.first = begin;
        w.outputs = shape.out_channels - begin < kPanel ? shape.out_channels - begin : kPanel;
        w.width = left < kPanel ? left : kPanel;
        w.packed = packed + begin * w.channels * points(tile);
        pack(w);
    }
}

WinogradPlan winograd_plan(const WinogradShape& shape, WinogradTile tile, int64_t threads, Isa max_isa) {
    WinogradPlan plan{};
    plan.isa = best_isa(max_isa);
    plan.shape = shape;
    plan.tile = tile;
    plan.threads = threads;
    const int64_t m = static_cast<int64_t>(tile);
    plan.tiles_y = (shape.out_height() + m - 1) / m;
    plan.tiles_x = (shape.out_width() + m - 1) / m;

    const int64_t tiles = tile_count(shape, tile);
    const int64_t channels = round_up(shape.in_channels, 16);
    // Weights that stay in a near cache leave room for few tiles there; weights streamed from memory need enough tiles
    // that multiplying takes longer than reading.
    const int64_t block = winograd_packed_bytes(shape, tile) <= kNearWeightBytes ? 28 : 56;
    const int64_t panels = (shape.out_channels + kPanel - 1) / kPanel, rounds = (panels + threads - 1) / threads;
    // Too few tiles for every thread to read all weights: share the input and split the weights, if that comes out
    // even.
    const bool even = 4 * rounds * threads <= 5 * panels;
    if (threads > 1 && tiles <= threads * block && even) {
        plan.phases = 2;
        plan.block_tiles = tiles;
    } else {
        plan.phases = 1;
        const int64_t share = (tiles + threads - 1) / threads;
        const int64_t blocks = (share + block - 1) / block * threads;
        plan.block_tiles = (tiles + blocks - 1) / blocks;
    }
    plan.input_floats = points(tile) * channels * plan.block_tiles;
    plan.product_floats = points(tile) * kPanel * plan.block_tiles;
    const int64_t inputs = plan.phases == 2 ? 1 : threads;
    plan.scratch_bytes =
        (plan.input_floats * inputs + plan.product_floats * threads) * static_cast<int64_t>(sizeof(float));

#define TENON_KERNEL(name) \
    if (plan.run == nullptr && plan.isa >= Isa::name) plan.run = name::winograd_run_phase;
#include "winograd.inc"
    return plan;
}

}  // namespace tenon::cpu
