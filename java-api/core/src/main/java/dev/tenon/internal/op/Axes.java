package dev.tenon.internal.op;

import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import java.util.Arrays;

/** Lists of axes given as inputs: made non-negative, checked, sorted. */
final class Axes {
    private Axes() {}

    /** @throws dev.tenon.ShapeException if an axis is outside [-rank, rank) or named twice */
    static int[] normalize(Inference in, long[] axes, int rank) {
        int[] out = new int[axes.length];
        for (int i = 0; i < axes.length; i++) {
            out[i] = in.axis(axes[i], rank);
        }
        in.require(
                Arrays.stream(out).distinct().count() == out.length,
                "an axis is named twice in " + Arrays.toString(axes));
        return out;
    }

    /** @throws dev.tenon.ShapeException if an axis is outside [-rank, rank) or named twice */
    static int[] normalize(Evaluation in, long[] axes, int rank) {
        int[] out = new int[axes.length];
        for (int i = 0; i < axes.length; i++) {
            out[i] = in.axis(axes[i], rank);
        }
        in.require(
                Arrays.stream(out).distinct().count() == out.length,
                "an axis is named twice in " + Arrays.toString(axes));
        return out;
    }

    static boolean contains(int[] axes, int axis) {
        return Arrays.stream(axes).anyMatch(a -> a == axis);
    }
}
