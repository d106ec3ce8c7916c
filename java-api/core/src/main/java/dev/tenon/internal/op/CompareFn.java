package dev.tenon.internal.op;

/** Comparisons of two numbers. Names are those of the C interface's elementwise functions. */
public enum CompareFn {
    EQUAL("Equal"),
    LESS("Less"),
    LESS_EQUAL("LessOrEqual"),
    GREATER("Greater"),
    GREATER_EQUAL("GreaterOrEqual");

    final String onnxName;

    CompareFn(String onnxName) {
        this.onnxName = onnxName;
    }

    /** False whenever an operand is NaN. */
    boolean test(double a, double b) {
        return switch (this) {
            case EQUAL -> a == b;
            case LESS -> a < b;
            case LESS_EQUAL -> a <= b;
            case GREATER -> a > b;
            case GREATER_EQUAL -> a >= b;
        };
    }

    boolean test(long a, long b) {
        return test(Long.compare(a, b));
    }

    /** Of the bits of two unsigned numbers. */
    boolean testUnsigned(long a, long b) {
        return test(Long.compareUnsigned(a, b));
    }

    /** Of the sign that a comparator gives. */
    boolean test(int order) {
        return switch (this) {
            case EQUAL -> order == 0;
            case LESS -> order < 0;
            case LESS_EQUAL -> order <= 0;
            case GREATER -> order > 0;
            case GREATER_EQUAL -> order >= 0;
        };
    }
}
