// Conversions of 16-bit and 8-bit floats, and the tensor core fragments of the shim.
#include "common/types.cuh"

#include "common/mma.cuh"
#include "simt/test_support.h"

using namespace simt_test;
using namespace tenon::cuda;

namespace {

// Value of a small float, from its definition.
double value(uint32_t bits, int exponent_bits, int mantissa_bits, bool has_infinity) {
    int bias = (1 << (exponent_bits - 1)) - 1;
    uint32_t mantissa = bits & ((1u << mantissa_bits) - 1);
    uint32_t exponent = bits >> mantissa_bits & ((1u << exponent_bits) - 1);
    double sign = bits >> (exponent_bits + mantissa_bits) & 1 ? -1 : 1;
    if (exponent == (1u << exponent_bits) - 1) {
        if (has_infinity) return mantissa ? NAN : sign * INFINITY;
        if (mantissa == (1u << mantissa_bits) - 1) return NAN;
    }
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * std::ldexp(mantissa + (1u << mantissa_bits), static_cast<int>(exponent) - bias - mantissa_bits);
}

// All values convert to fp32 exactly and back; between two neighbours the nearest wins, the even one on a tie.
template <class T>
void check_format(const char* name, int exponent_bits, int mantissa_bits, bool has_infinity, bool saturates) {
    where = name;
    uint32_t count = 1u << (exponent_bits + mantissa_bits + 1);
    using Bits = decltype(T::bits);
    for (uint32_t b = 0; b < count; b++) {
        double want = value(b, exponent_bits, mantissa_bits, has_infinity);
        float got = to_float(T{static_cast<Bits>(b)});
        if (!close(got, want, 0, 0)) fail("%#x is %g; expected %g", b, got, want);
        if (std::signbit(got) != std::signbit(want) && !std::isnan(want)) fail("%#x has the wrong sign", b);
        T back = from_float<T>(got);
        bool same =
            back.bits == b || (std::isnan(want) && std::isnan(to_float(back))) || (saturates && std::isinf(want));
        if (!same) fail("%#x goes to %g and back to %#x", b, got, back.bits);
        if (std::isnan(want) || std::isinf(want)) continue;
        double next = value(b + 1, exponent_bits, mantissa_bits, has_infinity);
        if (!std::isfinite(next) || b % (count / 2) == count / 2 - 1) continue;
        auto expect = [&](double x, uint32_t bits) {
            uint32_t r = from_float<T>(static_cast<float>(x)).bits;
            if (r != bits) fail("%.10g goes to %#x; expected %#x", x, r, bits);
        };
        double middle = (want + next) / 2;
        float below = std::nextafterf(static_cast<float>(middle), static_cast<float>(want));
        float above = std::nextafterf(static_cast<float>(middle), static_cast<float>(next));
        if (static_cast<double>(static_cast<float>(middle)) == middle) {
            expect(middle, b % 2 == 0 ? b : b + 1);
            expect(below, b);
            expect(above, b + 1);
        }
    }
    if constexpr (std::is_same_v<T, f8e4m3>) {
        for (uint32_t b = 0; b < 65536; b++) {
            uint32_t pair = f16_pair(static_cast<uint16_t>(b));
            double low = value(pair & 0xffff, 5, 10, true), high = value(pair >> 16, 5, 10, true);
            if (!close(low, value(b & 0xff, 4, 3, false), 0, 0) || !close(high, value(b >> 8, 4, 3, false), 0, 0))
                fail("the pair %#x becomes %#x", b, pair);
        }
    }
    float big = 1e30f;
    float limit = to_float(from_float<T>(big));
    if (saturates ? !std::isfinite(limit) : std::isfinite(limit) && mantissa_bits != 7) fail("1e30 goes to %g", limit);
    if (!std::isnan(to_float(from_float<T>(NAN)))) fail("NaN goes to %g", to_float(from_float<T>(NAN)));
}

void check_integers() {
    where = "int8";
    const struct {
        float from;
        int signed_8, unsigned_8;
    } cases[] = {{0.5f, 0, 0},       {1.5f, 2, 2},       {2.5f, 2, 2},      {-0.5f, 0, 0},        {-1.5f, -2, 0},
                 {127.5f, 127, 128}, {-129.0f, -128, 0}, {1e30f, 127, 255}, {-INFINITY, -128, 0}, {NAN, 0, 0}};
    for (auto& c : cases) {
        if (from_float<int8_t>(c.from) != c.signed_8) fail("%g goes to int8 %d", c.from, from_float<int8_t>(c.from));
        if (from_float<uint8_t>(c.from) != c.unsigned_8)
            fail("%g goes to uint8 %d", c.from, from_float<uint8_t>(c.from));
    }
}

// D = A * B through ldmatrix and mma, against plain loops: B once as stored [n][k], once as [k][n], transposed on load.
struct MmaParams {
    const f16* a;       // [16, 16]
    const f16* b;       // [8, 16]
    const f16* b_rows;  // [16, 8]
    float* d;           // [2, 16, 8]
    uint32_t* turned;   // [32]: a's first 8 x 8 elements, transposed
};

TENON_KERNEL(types_test_mma, MmaParams, 32, 1) {
    TENON_SHARED(f16, a, [16][16]);
    TENON_SHARED(f16, b, [8][16]);
    TENON_SHARED(f16, b_rows, [16][8]);
    int lane = lane_id();
    for (int i = lane; i < 256; i += 32) a[i / 16][i % 16] = p.a[i];
    for (int i = lane; i < 128; i += 32) b[i / 16][i % 16] = p.b[i], b_rows[i / 8][i % 8] = p.b_rows[i];
    __syncthreads();
    uint32_t fa[4], fb[4];
    ldmatrix_x4(fa, &a[lane % 16][lane / 16 * 8]);
    ldmatrix_x4(fb, &b[lane % 8][lane / 8 % 2 * 8]);
    float d[4] = {};
    mma_m16n8k16<f16>(d, fa, {fb[0], fb[1]});
    for (int i = 0; i < 4; i++) p.d[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
    p.turned[lane] = transpose_8x8(fa[0]);
    ldmatrix_x4<true>(fb, &b_rows[lane % 16][0]);
    float e[4] = {};
    mma_m16n8k16<f16>(e, fa, {fb[0], fb[1]});
    for (int i = 0; i < 4; i++) p.d[128 + (lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = e[i];
}

void check_mma() {
    where = "mma";
    std::mt19937 rng(3);
    Buffer<f16> a(256), b(128), b_rows(128);
    Buffer<float> d(256);
    Buffer<uint32_t> turned(32);
    fill(a, rng);
    fill(b, rng);
    fill(b_rows, rng);
    MmaParams p{a.data(), b.data(), b_rows.data(), d.data(), turned.data()};
    static tenon_cuda_plan plan;
    plan.launch_count = 1;
    tenon_cuda_launch& launch = plan.launches[0];
    launch.kernel = "types_test_mma";
    launch.grid[0] = launch.grid[1] = launch.grid[2] = 1;
    launch.block = 32;
    launch.params_bytes = sizeof p;
    std::memcpy(launch.params, &p, sizeof p);
    simt::execute(plan, 1);
    std::vector<double> want(256);
    for (int i = 0; i < 16; i++) {
        for (int j = 0; j < 8; j++) {
            for (int k = 0; k < 16; k++) {
                want[static_cast<size_t>(i * 8 + j)] += double{to_float(a[i * 16 + k])} * to_float(b[j * 16 + k]);
                want[static_cast<size_t>(128 + i * 8 + j)] +=
                    double{to_float(a[i * 16 + k])} * to_float(b_rows[k * 8 + j]);
            }
        }
    }
    expect_close("d", d, want, 1e-5, 1e-5);
    for (int i = 0; i < 64; i++) {
        uint32_t got = turned[i / 2] >> (16 * (i % 2)) & 0xffff;
        if (got != a[i % 8 * 16 + i / 8].bits) fail("transposed element %d is %#x", i, got);
    }
}

}  // namespace

int main() {
    check_format<f16>("f16", 5, 10, true, false);
    check_format<bf16>("bf16", 8, 7, true, false);
    check_format<f8e4m3>("f8e4m3", 4, 3, false, true);
    check_format<f8e5m2>("f8e5m2", 5, 2, true, true);
    check_integers();
    check_mma();
    return result();
}
