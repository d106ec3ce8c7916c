package dev.tenon.internal.op;

import dev.tenon.internal.ir.Dim;
import java.util.List;

/** Arithmetic on dimensions: exact on numbers, and on symbols where the result is again a number or the same symbol. */
final class DimMath {
    private DimMath() {}

    static Dim add(Dim a, Dim b) {
        if (a instanceof Dim.Known(long x) && b instanceof Dim.Known(long y)) {
            return fits(x, y) ? Dim.of(x + y) : Dim.unknown();
        }
        return a.is(0) ? b : b.is(0) ? a : Dim.unknown();
    }

    private static boolean fits(long x, long y) {
        long sum = x + y;
        return ((x ^ sum) & (y ^ sum)) >= 0;
    }

    static Dim subtract(Dim a, Dim b) {
        if (a instanceof Dim.Known(long x) && b instanceof Dim.Known(long y)) {
            return y != Long.MIN_VALUE && fits(x, -y) ? Dim.of(x - y) : Dim.unknown();
        }
        return b.is(0) ? a : a.equals(b) ? Dim.of(0) : Dim.unknown();
    }

    static Dim multiply(Dim a, Dim b) {
        if (a instanceof Dim.Known(long x) && b instanceof Dim.Known(long y)) {
            long low = x * y;
            return Math.multiplyHigh(x, y) == low >> 63 ? Dim.of(low) : Dim.unknown();
        }
        return a.is(1) ? b : b.is(1) ? a : a.is(0) || b.is(0) ? Dim.of(0) : Dim.unknown();
    }

    /** The quotient towards zero, as integer tensors divide. */
    static Dim divide(Dim a, Dim b) {
        if (a instanceof Dim.Known(long x) && b instanceof Dim.Known(long y) && y != 0) {
            return Dim.of(x / y);
        }
        return b.is(1) ? a : Dim.unknown();
    }

    static Dim product(List<Dim> dims) {
        Dim p = Dim.of(1);
        for (Dim d : dims) {
            p = multiply(p, d);
        }
        return p;
    }

    /** What two descriptions of one dimension say together: the number if one is a number. */
    static Dim merge(Dim a, Dim b) {
        return a.isKnown() ? a : b;
    }

    /** True if both are numbers and differ. */
    static boolean clash(Dim a, Dim b) {
        return a.isKnown() && b.isKnown() && !a.equals(b);
    }
}
