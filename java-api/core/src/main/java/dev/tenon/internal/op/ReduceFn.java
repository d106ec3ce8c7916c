package dev.tenon.internal.op;

import dev.tenon.DataType;

/** Ways to fold numbers into one. Names are those of the C interface's reductions. */
public enum ReduceFn {
    SUM("ReduceSum"),
    MEAN("ReduceMean"),
    MAX("ReduceMax"),
    MIN("ReduceMin"),
    PROD("ReduceProd"),
    /** The sum of absolute values. */
    L1("ReduceL1"),
    /** The square root of the sum of squares. */
    L2("ReduceL2"),
    SUM_SQUARE("ReduceSumSquare"),
    /** The logarithm of the sum. */
    LOG_SUM("ReduceLogSum"),
    /** The logarithm of the sum of exponentials, computed without overflow. */
    LOG_SUM_EXP("ReduceLogSumExp");

    final String onnxName;

    ReduceFn(String onnxName) {
        this.onnxName = onnxName;
    }

    /** The opset version from which the axes are an input. */
    int axesInputSince() {
        return this == SUM ? 13 : 18;
    }

    /** The fold of {@code n} elements of {@code x} from {@code from}. NaN among them gives NaN. */
    double ofDoubles(double[] x, int from, int n) {
        double r = switch (this) {
            case MAX -> Double.NEGATIVE_INFINITY;
            case MIN -> Double.POSITIVE_INFINITY;
            case PROD -> 1;
            default -> 0;
        };
        if (this == LOG_SUM_EXP) {
            return logSumExp(x, from, n);
        }
        for (int i = from; i < from + n; i++) {
            double v = x[i];
            switch (this) {
                case MAX -> r = Math.max(r, v);
                case MIN -> r = Math.min(r, v);
                case PROD -> r *= v;
                case L1 -> r += Math.abs(v);
                case L2, SUM_SQUARE -> r += v * v;
                default -> r += v;
            }
        }
        return switch (this) {
            case MEAN -> r / n;
            case L2 -> Math.sqrt(r);
            case LOG_SUM -> Math.log(r);
            default -> r;
        };
    }

    private static double logSumExp(double[] x, int from, int n) {
        double max = MAX.ofDoubles(x, from, n);
        if (Double.isInfinite(max)) {
            return max;
        }
        double sum = 0;
        for (int i = from; i < from + n; i++) {
            sum += Math.exp(x[i] - max);
        }
        return max + Math.log(sum);
    }

    /** True if the fold of integers is exact in longs. */
    boolean isExactOnLongs() {
        return switch (this) {
            case SUM, MAX, MIN, PROD, L1, SUM_SQUARE -> true;
            default -> false;
        };
    }

    /** The fold of {@code n} integers of {@code type} from {@code from}; of nothing it is what the type holds for it. */
    long ofLongs(long[] x, int from, int n, DataType type) {
        boolean unsigned = type.isUnsigned();
        if (this == MAX || this == MIN) {
            boolean largest = this == MAX;
            if (n == 0) {
                return lastResort(type, !largest);
            }
            long r = x[from];
            for (int i = from + 1; i < from + n; i++) {
                int c = unsigned ? Long.compareUnsigned(x[i], r) : Long.compare(x[i], r);
                r = (largest ? c > 0 : c < 0) ? x[i] : r;
            }
            return r;
        }
        long r = this == PROD ? 1 : 0;
        for (int i = from; i < from + n; i++) {
            long v = x[i];
            switch (this) {
                case PROD -> r *= v;
                case L1 -> r += unsigned ? v : Math.abs(v);
                case SUM_SQUARE -> r += v * v;
                default -> r += v;
            }
        }
        return r;
    }

    private static long lastResort(DataType type, boolean largest) {
        if (type == DataType.BOOL) {
            return largest ? 1 : 0;
        }
        if (type.isUnsigned()) {
            return largest ? -1L >>> (64 - type.bits()) : 0;
        }
        long max = Long.MAX_VALUE >> (64 - type.bits());
        return largest ? max : ~max;
    }
}
