package dev.tenon.internal.op;

import dev.tenon.internal.ir.Evaluation;

/** Indices that come as data. */
final class Indices {
    private Indices() {}

    /** {@code i} made non-negative. @throws dev.tenon.ShapeException if it is outside [-n, n) */
    static long check(Evaluation in, long i, long n) {
        if (i < -n || i >= n) {
            throw in.error("index " + i + " is outside [" + -n + ", " + (n - 1) + "]");
        }
        return i < 0 ? i + n : i;
    }
}
