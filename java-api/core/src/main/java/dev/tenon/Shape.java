package dev.tenon;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The concrete dimensions of a tensor, outermost first. Immutable; rank 0 is a scalar. */
public final class Shape {
    /** The largest rank that a tensor may have. */
    public static final int MAX_RANK = 64;

    private static final Shape SCALAR = new Shape(new long[0]);

    private final long[] dims;
    private final long elements;

    private Shape(long[] dims) {
        this.dims = dims;
        this.elements = count(dims);
    }

    /** @throws ShapeException if a dimension is negative, the rank exceeds {@link #MAX_RANK} or the product overflows */
    public static Shape of(long... dims) {
        return dims.length == 0 ? SCALAR : new Shape(dims.clone());
    }

    public static Shape scalar() {
        return SCALAR;
    }

    private static long count(long[] dims) {
        if (dims.length > MAX_RANK) {
            throw new ShapeException("rank " + dims.length + " is over the limit of " + MAX_RANK);
        }
        boolean empty = false;
        for (long d : dims) {
            if (d < 0) {
                throw new ShapeException("dimension " + d + " in " + Arrays.toString(dims) + " is negative");
            }
            empty |= d == 0;
        }
        if (empty) {
            return 0;
        }
        long n = 1;
        for (long d : dims) {
            long high = Math.multiplyHigh(n, d);
            n *= d;
            if (high != 0 || n < 0) {
                throw new ShapeException("the element count of " + Arrays.toString(dims) + " exceeds 2^63");
            }
        }
        return n;
    }

    public int rank() {
        return dims.length;
    }

    /** The dimension at {@code axis}; a negative axis counts from the end. */
    public long dim(int axis) {
        return dims[axis < 0 ? axis + dims.length : axis];
    }

    /** The number of elements; 1 for a scalar. */
    public long elements() {
        return elements;
    }

    /** A fresh copy of the dimensions. */
    public long[] dims() {
        return dims.clone();
    }

    /** The product of dimensions {@code from} (inclusive) to {@code to} (exclusive); 1 for an empty range. */
    public long product(int from, int to) {
        long n = 1;
        for (int i = from; i < to; i++) {
            n *= dims[i];
        }
        return n;
    }

    /** Row-major strides in elements. */
    public long[] strides() {
        long[] s = new long[dims.length];
        long step = 1;
        for (int i = dims.length - 1; i >= 0; i--) {
            s[i] = step;
            step *= Math.max(1, dims[i]);
        }
        return s;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Shape s && Arrays.equals(dims, s.dims);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(dims);
    }

    /** Dimensions joined by {@code x}, as the command line takes them: {@code 1x3x224x224}; {@code scalar} for rank 0. */
    @Override
    public String toString() {
        return dims.length == 0
                ? "scalar"
                : Arrays.stream(dims).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }
}
