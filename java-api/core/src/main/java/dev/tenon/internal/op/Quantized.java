package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/** Stores numbers in quantised types. */
final class Quantized {
    private Quantized() {}

    /** The integer saturate(round(quotient) + zero); zero where the quotient is NaN. */
    static void store(Tensor y, long i, double quotient, double zero) {
        store(y, i, Double.isNaN(quotient) ? zero : Math.rint(quotient) + zero);
    }

    /** Rounds half to even and saturates for integers, NaN gives 0; floats round as their format does. */
    static void store(Tensor y, long i, double v) {
        DataType type = y.type();
        if (!type.isInteger()) {
            y.setDouble(i, v);
            return;
        }
        int bits = type.bits();
        double low = type.isUnsigned() ? 0 : -Math.scalb(1.0, bits - 1);
        double high = Math.scalb(1.0, type.isUnsigned() ? bits : bits - 1) - 1;
        y.setLong(i, Double.isNaN(v) ? 0 : (long) Math.min(Math.max(Math.rint(v), low), high));
    }

    /** A zero point or scale as doubles; zero if absent. */
    static double[] values(Evaluation in, int input) {
        return in.has(input) ? in.tensor(input).toDoubleArray() : new double[1];
    }
}
