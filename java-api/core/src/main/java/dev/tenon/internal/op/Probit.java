package dev.tenon.internal.op;

/** The quantile function of the normal distribution. */
final class Probit {
    private Probit() {}

    /** The z with P(Z <= z) = p, by bisection of the complementary error function; infinite at 0 and 1, NaN outside. */
    static double inverseNormal(double p) {
        if (!(p > 0 && p < 1)) {
            return p == 0 ? Double.NEGATIVE_INFINITY : p == 1 ? Double.POSITIVE_INFINITY : Double.NaN;
        }
        double low = -40;
        double high = 40;
        for (int i = 0; i < 80; i++) {
            double middle = (low + high) / 2;
            if ((1 + Erf.of(middle / Math.sqrt(2))) / 2 < p) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return (low + high) / 2;
    }
}
