package dev.tenon.internal.op;

/**
 * The error function to about 15 digits:  erf(x) = 2 / sqrt(pi) * integral of exp(-t^2) from 0 to x.
 * Source   Abramowitz & Stegun 1964: 7.1.6 (series with positive terms) below 2.5, 7.1.14 (continued fraction) above.
 */
final class Erf {
    private static final double SERIES_LIMIT = 2.5;

    /** Beyond this the complement is less than half a unit in the last place of 1. */
    private static final double SATURATED = 6;

    private static final int FRACTION_DEPTH = 60;

    private Erf() {}

    static double of(double x) {
        double a = Math.abs(x);
        if (!(a < SATURATED)) {
            return Double.isNaN(x) ? x : Math.signum(x);
        }
        return a < SERIES_LIMIT ? series(x) : Math.signum(x) * (1 - complement(a));
    }

    private static double series(double x) {
        double square = x * x;
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= 2 * square / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-square) * sum;
    }

    private static double complement(double x) {
        double f = x;
        for (int n = FRACTION_DEPTH; n > 0; n--) {
            f = x + n / 2.0 / f;
        }
        return Math.exp(-x * x) / (Math.sqrt(Math.PI) * f);
    }
}
