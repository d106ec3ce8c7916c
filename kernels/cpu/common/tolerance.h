// How far f32 kernels may be from a reference computed in double.
#ifndef TENON_KERNELS_CPU_COMMON_TOLERANCE_H
#define TENON_KERNELS_CPU_COMMON_TOLERANCE_H

#include <math.h>
#include <stdint.h>

namespace tenon::cpu {

// |actual - expected| <= relative * |expected| + absolute.
struct Tolerance {
    double relative;
    double absolute;
};

constexpr double kEpsilonF32 = 1.1920928955078125e-7;
constexpr double kSmallestF32 = 1.401298464324817e-45;  // subnormal

// Results that are rounded once (sums of two, products, moves).
constexpr Tolerance kExact{0, 0};
constexpr Tolerance kRounded{0.5000001 * kEpsilonF32, kSmallestF32};
// Transcendental functions: 4 units in the last place.
constexpr Tolerance kFunction{4 * kEpsilonF32, 4 * kSmallestF32};
// Products of x with a function that goes to 0 where x is large and negative (silu, gelu, mish): the error is one of x.
constexpr Tolerance kGated{4 * kEpsilonF32, 4 * kEpsilonF32};

// Sums of `terms` products whose magnitudes add up to `magnitude`. Partial sums are kept in many lanes, so errors grow
// with the square root of the number of terms at most.
inline Tolerance sum_tolerance(int64_t terms, double magnitude) {
    return {kEpsilonF32, (2 + sqrt(static_cast<double>(terms))) * kEpsilonF32 * magnitude + kSmallestF32};
}

// NaN agrees with NaN, an infinity with the same one only; a result that rounds to infinity agrees with infinity.
inline bool close(double actual, double expected, Tolerance tolerance) {
    if (isnan(expected) || isnan(actual)) return isnan(expected) && isnan(actual);
    const double rounded = static_cast<double>(static_cast<float>(expected));
    if (isinf(rounded) || isinf(actual)) {
        if (actual == rounded) return true;
        // Just below the highest value either side may have overflowed.
        return fabs(expected) * (1 + tolerance.relative) >= 3.4028234e38 && fabs(actual) >= 3.4028e38 &&
               (actual > 0) == (expected > 0);
    }
    return fabs(actual - expected) <= tolerance.relative * fabs(expected) + tolerance.absolute;
}

}  // namespace tenon::cpu
#endif
