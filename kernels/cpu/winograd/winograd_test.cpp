// Every instruction set, tile, number of threads and epilogue against direct convolution in double.
#include "winograd.h"

#include <math.h>
#include <stdio.h>

#include <limits>
#include <vector>

#include "../common/test_support.h"

using namespace tenon::cpu;
using tenon::cpu::test::Random;

namespace {

// Aborts when it was written before its beginning or touched past its end.
class Floats : public tenon::cpu::test::Guarded<float> {
  public:
    using Guarded::Guarded;
    float* data() { return get(); }
    void fill(float value) {
        for (int64_t i = 0; i < size(); ++i) (*this)[i] = value;
    }
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

int failures = 0;
int runs_by_phases[3] = {};
double worst[5] = {};  // of the tolerance, by tile

void fail(const char* what, const WinogradShape& s, const WinogradPlan& plan) {
    ++failures;
    printf("FAIL %s: batch %ld, %ldx%ldx%ld -> %ld, pads %ld %ld %ld %ld, tile %ld, threads %ld, %s\n", what, s.batch,
           s.in_channels, s.in_height, s.in_width, s.out_channels, s.pad_top, s.pad_left, s.pad_bottom, s.pad_right,
           static_cast<int64_t>(plan.tile), plan.threads, isa_name(plan.isa));
}

int64_t blocks(int64_t channels) {
    return (channels + 15) / 16;
}

struct Case {
    WinogradShape shape;
    bool bias, residual, in_place;
    float low, high;
};

struct Problem {
    Case c;
    Floats src, weights, bias, residual;
    std::vector<double> expected;  // blocked like dst
    double scale = 0;

    Problem(const Case& problem, uint64_t seed)
        : c(problem),
          src(c.shape.batch * blocks(c.shape.in_channels) * 16 * c.shape.in_height * c.shape.in_width),
          weights(c.shape.out_channels * c.shape.in_channels * 9),
          bias(c.shape.out_channels),
          residual(dst_floats()) {
        Random random(seed);
        const WinogradShape& s = c.shape;
        src.fill(0.0f);
        for (int64_t n = 0; n < s.batch; ++n) {
            for (int64_t channel = 0; channel < s.in_channels; ++channel) {
                for (int64_t i = 0; i < s.in_height * s.in_width; ++i) at(n, channel, i) = random.real(-1, 1);
            }
        }
        for (int64_t i = 0; i < weights.size(); ++i) weights[i] = random.real(-1, 1);
        for (int64_t i = 0; i < bias.size(); ++i) bias[i] = random.real(-1, 1);
        // The padding channels of the residual are garbage on purpose.
        for (int64_t i = 0; i < residual.size(); ++i) residual[i] = random.real(-1, 1);
        reference();
    }

    int64_t dst_floats() const {
        return c.shape.batch * blocks(c.shape.out_channels) * 16 * c.shape.out_height() * c.shape.out_width();
    }
    float& at(int64_t n, int64_t channel, int64_t pixel) {
        const int64_t area = c.shape.in_height * c.shape.in_width;
        return src[((n * blocks(c.shape.in_channels) + channel / 16) * area + pixel) * 16 + channel % 16];
    }

    void reference() {
        const WinogradShape& s = c.shape;
        const int64_t height = s.out_height(), width = s.out_width();
        expected.assign(dst_floats(), 0.0);
        for (int64_t n = 0; n < s.batch; ++n) {
            for (int64_t k = 0; k < s.out_channels; ++k) {
                for (int64_t y = 0; y < height; ++y) {
                    for (int64_t x = 0; x < width; ++x) {
                        double sum = 0;
                        for (int64_t i = 0; i < 9; ++i) {
                            const int64_t row = y + i / 3 - s.pad_top, column = x + i % 3 - s.pad_left;
                            if (row < 0 || row >= s.in_height || column < 0 || column >= s.in_width) continue;
                            for (int64_t channel = 0; channel < s.in_channels; ++channel) {
                                sum += static_cast<double>(at(n, channel, row * s.in_width + column)) *
                                       weights[(k * s.in_channels + channel) * 9 + i];
                            }
                        }
                        scale = fmax(scale, fabs(sum));
                        const int64_t out =
                            (((n * blocks(s.out_channels) + k / 16) * height + y) * width + x) * 16 + k % 16;
                        if (c.bias) sum += bias[k];
                        if (c.residual) sum += residual[out];
                        expected[out] = fmin(fmax(sum, c.low), c.high);
                    }
                }
            }
        }
    }
};

struct Buffers {
    Floats packed, scratch;
    Buffers(const WinogradPlan& plan)
        : packed(winograd_packed_bytes(plan.shape, plan.tile) / 4), scratch(plan.scratch_bytes / 4) {
        packed.fill(NAN);
        scratch.fill(NAN);
    }
};

void run(const WinogradPlan& plan, const WinogradArgs& args) {
    ++runs_by_phases[plan.phases];
    for (int64_t phase = 0; phase < plan.phases; ++phase) {
        for (int64_t thread = plan.threads; thread-- > 0;) winograd_run(plan, args, phase, thread);
    }
}

void check(Problem& p, WinogradTile tile, int64_t threads, Isa isa) {
    const WinogradShape& s = p.c.shape;
    const WinogradPlan plan = winograd_plan(s, tile, threads, isa);
    Buffers buffers(plan);
    for (int64_t slice = winograd_pack_slices(s); slice-- > 0;) {
        winograd_pack(s, tile, p.weights.data(), buffers.packed.data(), slice, slice + 1);
    }
    Floats dst(p.dst_floats());
    dst.fill(NAN);
    if (p.c.in_place) {
        for (int64_t i = 0; i < dst.size(); ++i) dst[i] = p.residual[i];
    }
    WinogradArgs args{p.src.data(),
                      buffers.packed.data(),
                      p.c.bias ? p.bias.data() : nullptr,
                      !p.c.residual  ? nullptr
                      : p.c.in_place ? dst.data()
                                     : p.residual.data(),
                      dst.data(),
                      buffers.scratch.data(),
                      p.c.low,
                      p.c.high};
    run(plan, args);

    const double allowed = winograd_tolerance(tile, s.in_channels) * (p.scale + (p.c.bias || p.c.residual ? 1 : 0));
    const int64_t area = s.out_height() * s.out_width();
    for (int64_t i = 0; i < dst.size(); ++i) {
        const int64_t channel = i / 16 / area % blocks(s.out_channels) * 16 + i % 16;
        if (channel >= s.out_channels) {
            if (dst[i] != 0) return fail("padding channel is not zero", s, plan);
            continue;
        }
        const double error = fabs(dst[i] - p.expected[i]);
        if (!(error <= allowed)) {
            printf("element %ld: %g, expected %g\n", i, dst[i], p.expected[i]);
            return fail("result", s, plan);
        }
        double& most = worst[static_cast<int64_t>(tile)];
        most = fmax(most, error / allowed);
    }
}

// NaN and infinity reach the outputs that use them, and no output of a tile that does not.
void check_not_finite(Isa isa) {
    const WinogradShape s{1, 17, 13, 14, 18, 1, 1, 1, 1};
    for (WinogradTile tile : {WinogradTile::f2x2, WinogradTile::f4x4}) {
        for (float bad : {NAN, kInfinity, -kInfinity}) {
            Problem p({s, true, false, false, 0.0f, kInfinity}, 5);
            const int64_t row = 6, column = 5, m = static_cast<int64_t>(tile);
            p.at(0, 16, row * 14 + column) = bad;
            const WinogradPlan plan = winograd_plan(s, tile, 1, isa);
            Buffers buffers(plan);
            winograd_pack(s, tile, p.weights.data(), buffers.packed.data(), 0, winograd_pack_slices(s));
            Floats dst(p.dst_floats());
            run(plan, {p.src.data(), buffers.packed.data(), p.bias.data(), nullptr, dst.data(), buffers.scratch.data(),
                       -kInfinity, kInfinity});
            for (int64_t y = 0; y < 13; ++y) {
                for (int64_t x = 0; x < 14; ++x) {
                    const float value = dst[(y * 14 + x) * 16];
                    const bool uses = y >= row - 1 && y <= row + 1 && x >= column - 1 && x <= column + 1;
                    const int64_t top = y / m * m - 1, left = x / m * m - 1;
                    const bool reads = row >= top && row < top + m + 2 && column >= left && column < left + m + 2;
                    if ((uses && isfinite(value)) || (!reads && !isfinite(value))) {
                        return fail("spread of NaN or infinity", s, plan);
                    }
                }
            }
        }
    }
}

void check_nan_survives_clamp(Isa isa) {
    const WinogradShape s{1, 1, 6, 6, 1, 0, 0, 0, 0};
    Problem p({s, false, false, false, 0.0f, 6.0f}, 6);
    p.at(0, 0, 14) = NAN;
    const WinogradPlan plan = winograd_plan(s, WinogradTile::f4x4, 1, isa);
    Buffers buffers(plan);
    winograd_pack(s, plan.tile, p.weights.data(), buffers.packed.data(), 0, 1);
    Floats dst(p.dst_floats());
    run(plan, {p.src.data(), buffers.packed.data(), nullptr, nullptr, dst.data(), buffers.scratch.data(), 0.0f, 6.0f});
    if (!isnan(dst[5 * 16])) fail("NaN lost in the clamp", s, plan);
}

void check_unsupported() {
    const WinogradShape good{1, 3, 8, 8, 4, 1, 1, 1, 1};
    const WinogradPlan none{};
    if (winograd_unsupported(good) != nullptr) fail("a good shape is refused", good, none);
    WinogradShape bad[7] = {good, good, good, good, good, good, good};
    bad[0].in_channels = 0;
    bad[1].pad_left = -1;
    bad[2].in_height = 1, bad[2].pad_top = 0;
    bad[3].batch = INT64_MAX;
    bad[4].in_width = int64_t{1} << 40, bad[4].in_height = int64_t{1} << 40;
    bad[5].in_channels = int64_t{1} << 30, bad[5].out_channels = int64_t{1} << 30;
    bad[6].pad_right = INT64_MAX;
    for (const WinogradShape& shape : bad) {
        if (winograd_unsupported(shape) == nullptr) fail("a bad shape is accepted", shape, none);
    }
}

// Shapes far from the thresholds, so that tuning them does not need this test to change.
void check_choice() {
    const WinogradPlan none{};
    const WinogradShape vgg{1, 128, 112, 112, 128, 1, 1, 1, 1}, first{1, 3, 224, 224, 64, 1, 1, 1, 1},
        one_output{1, 512, 3, 3, 512, 0, 0, 0, 0}, two_by_two{1, 64, 2, 2, 64, 1, 1, 1, 1};
    if (!winograd_is_profitable(vgg, 1)) fail("should be profitable", vgg, none);
    if (winograd_best_tile(vgg, 2) != WinogradTile::f4x4) fail("should use f4x4", vgg, none);
    if (winograd_is_profitable(first, 1)) fail("should not be profitable", first, none);
    if (winograd_is_profitable(one_output, 2)) fail("should not be profitable", one_output, none);
    if (winograd_best_tile(two_by_two, 1) != WinogradTile::f2x2) fail("should use f2x2", two_by_two, none);
}

}  // namespace

int main() {
    const Case cases[] = {
        {{1, 16, 8, 8, 16, 1, 1, 1, 1}, false, false, false, -kInfinity, kInfinity},
        {{1, 1, 3, 3, 1, 0, 0, 0, 0}, false, false, false, -kInfinity, kInfinity},
        {{1, 1, 1, 1, 1, 1, 1, 1, 1}, true, false, false, -kInfinity, kInfinity},
        {{2, 3, 7, 9, 5, 1, 1, 1, 1}, true, false, false, 0.0f, kInfinity},
        {{1, 64, 14, 14, 64, 1, 1, 1, 1}, true, true, false, 0.0f, kInfinity},
        {{3, 17, 5, 23, 33, 0, 1, 2, 3}, true, true, true, 0.25f, 6.0f},
        {{1, 32, 31, 33, 48, 2, 2, 2, 2}, false, true, true, -1.0f, 1.0f},
        {{1, 130, 7, 7, 100, 1, 1, 1, 1}, true, false, false, -kInfinity, kInfinity},
        {{1, 8, 62, 61, 20, 1, 1, 1, 1}, true, false, false, 0.0f, kInfinity},
        {{1, 40, 11, 10, 96, 1, 1, 1, 1}, true, true, false, 0.0f, kInfinity},
        {{2, 512, 6, 5, 32, 1, 1, 1, 1}, true, false, false, 0.0f, kInfinity},
    };
    bool seen[3] = {};
    uint64_t seed = 1;
    for (const Case& c : cases) {
        Problem problem(c, seed++);
        for (Isa isa : {Isa::avx512, Isa::avx2, Isa::scalar}) {
            if (best_isa(isa) != isa) continue;
            seen[static_cast<int>(isa)] = true;
            for (WinogradTile tile : {WinogradTile::f2x2, WinogradTile::f4x4}) {
                for (int64_t threads : {1, 2, 3}) check(problem, tile, threads, isa);
            }
        }
    }
    for (Isa isa : {Isa::avx512, Isa::avx2, Isa::scalar}) {
        if (best_isa(isa) != isa) continue;
        check_not_finite(isa);
        check_nan_survives_clamp(isa);
    }
    check_unsupported();
    check_choice();
    if (runs_by_phases[1] == 0 || runs_by_phases[2] == 0) {
        ++failures;
        printf("FAIL %d runs in one phase, %d in two\n", runs_by_phases[1], runs_by_phases[2]);
    }
    printf("winograd: scalar%s%s; worst share of the tolerance: f2x2 %.2f, f4x4 %.2f; %d failures\n",
           seen[1] ? " avx2" : "", seen[2] ? " avx512" : "", worst[2], worst[4], failures);
    return failures == 0 ? 0 : 1;
}
