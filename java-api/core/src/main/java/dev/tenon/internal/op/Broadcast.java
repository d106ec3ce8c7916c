package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.internal.ir.SymbolicShape;

/** Multidirectional broadcasting for reference implementations: maps a flat output index to a flat input index. */
final class Broadcast {
    private Broadcast() {}

    static Shape shape(Shape... shapes) {
        SymbolicShape s = SymbolicShape.of(shapes[0]);
        for (int i = 1; i < shapes.length; i++) {
            s = SymbolicShape.broadcast(s, SymbolicShape.of(shapes[i]));
        }
        return s.concrete();
    }

    /** Strides of {@code in} seen from {@code out}: 0 along broadcast axes. */
    static long[] strides(Shape in, Shape out) {
        long[] own = in.strides();
        long[] s = new long[out.rank()];
        for (int i = 1; i <= in.rank(); i++) {
            s[out.rank() - i] = in.dim(-i) == 1 ? 0 : own[in.rank() - i];
        }
        return s;
    }

    /** Walks {@code out} in row-major order and gives, for each element, the flat index into every input. */
    static void forEach(Shape out, Shape[] inputs, Visitor visitor) {
        int rank = out.rank();
        int n = inputs.length;
        long[][] strides = new long[n][];
        for (int k = 0; k < n; k++) {
            strides[k] = strides(inputs[k], out);
        }
        long[] index = new long[rank];
        long[] at = new long[n];
        for (long i = 0, total = out.elements(); i < total; i++) {
            visitor.visit(i, at);
            for (int d = rank - 1; d >= 0; d--) {
                index[d]++;
                for (int k = 0; k < n; k++) {
                    at[k] += strides[k][d];
                }
                if (index[d] < out.dim(d)) {
                    break;
                }
                for (int k = 0; k < n; k++) {
                    at[k] -= strides[k][d] * index[d];
                }
                index[d] = 0;
            }
        }
    }

    interface Visitor {
        void visit(long out, long[] in);
    }
}
