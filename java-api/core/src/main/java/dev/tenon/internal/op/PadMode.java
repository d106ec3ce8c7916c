package dev.tenon.internal.op;

/** What padding holds. */
public enum PadMode {
    CONSTANT,
    /** The tensor mirrored at its edge, without repeating the edge. */
    REFLECT,
    /** The nearest element. */
    EDGE,
    /** The tensor repeated. */
    WRAP;

    /** The element of an axis of size {@code n} at {@code i}, which may be outside; -1 for the constant. */
    long source(long i, long n) {
        return switch (this) {
            case CONSTANT -> i >= 0 && i < n ? i : -1;
            case EDGE -> Math.clamp(i, 0, n - 1);
            case WRAP -> Math.floorMod(i, n);
            case REFLECT -> {
                if (n == 1) {
                    yield 0;
                }
                long at = Math.floorMod(i, 2 * (n - 1));
                yield at < n ? at : 2 * (n - 1) - at;
            }
        };
    }
}
