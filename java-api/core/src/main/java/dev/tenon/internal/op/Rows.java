package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/** Tensors seen as rows of the elements of chosen axes, each row in one piece. */
final class Rows {
    private Rows() {}

    /** {@code x} with the chosen axes moved to the end, in order; {@code x} itself if they are there. */
    static Tensor last(Evaluation in, Tensor x, boolean[] chosen) {
        int rank = chosen.length;
        int[] order = new int[rank];
        int k = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < rank; i++) {
                if (chosen[i] == (pass == 1)) {
                    order[k++] = i;
                }
            }
        }
        return isSorted(order) ? x : Transpose.permute(in, x, order);
    }

    /** {@code x} with one axis moved to the end. */
    static Tensor last(Evaluation in, Tensor x, int axis) {
        boolean[] chosen = new boolean[x.shape().rank()];
        chosen[axis] = true;
        return last(in, x, chosen);
    }

    /** {@code rows} with its last axis moved back to {@code axis}. */
    static Tensor back(Evaluation in, Tensor rows, int axis) {
        int rank = rows.shape().rank();
        int[] order = new int[rank];
        for (int i = 0; i < rank; i++) {
            order[i] = i < axis ? i : i == axis ? rank - 1 : i - 1;
        }
        return isSorted(order) ? rows : Transpose.permute(in, rows, order);
    }

    /** {@code rows}, made by {@link #last(Evaluation, Tensor, boolean[])}, with the chosen axes where they were. */
    static Tensor restore(Evaluation in, Tensor rows, boolean[] chosen) {
        int rank = chosen.length;
        int kept = 0;
        for (boolean c : chosen) {
            kept += c ? 0 : 1;
        }
        int[] order = new int[rank];
        int left = 0;
        int right = kept;
        for (int i = 0; i < rank; i++) {
            order[i] = chosen[i] ? right++ : left++;
        }
        return isSorted(order) ? rows : Transpose.permute(in, rows, order);
    }

    /** The elements of one row. */
    static long length(Shape s, boolean[] chosen) {
        long n = 1;
        for (int i = 0; i < chosen.length; i++) {
            n *= chosen[i] ? s.dim(i) : 1;
        }
        return n;
    }

    private static boolean isSorted(int[] order) {
        for (int i = 0; i < order.length; i++) {
            if (order[i] != i) {
                return false;
            }
        }
        return true;
    }
}
