package dev.tenon.internal.op;

/** Questions about one float. Names are those of the C interface's elementwise functions. */
public enum FloatTestFn {
    IS_NAN("IsNaN"),
    /** Infinite; a positive infinity counts if alpha is not 0, a negative one if beta is not. */
    IS_INF("IsInf");

    final String onnxName;

    FloatTestFn(String onnxName) {
        this.onnxName = onnxName;
    }

    boolean test(double x, double alpha, double beta) {
        return this == IS_NAN
                ? Double.isNaN(x)
                : (x == Double.POSITIVE_INFINITY && alpha != 0) || (x == Double.NEGATIVE_INFINITY && beta != 0);
    }
}
