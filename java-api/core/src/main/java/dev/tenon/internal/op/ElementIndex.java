package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/** Walks an index tensor as GatherElements and ScatterElements read it: each index replaces the coordinate along one axis. */
record ElementIndex(Evaluation in, Shape data, Tensor indices, int axis) {
    interface Visitor {
        void visit(long position, long element);
    }

    /** @throws dev.tenon.ShapeException unless the ranks agree and indices is no larger than data off the axis */
    static ElementIndex of(Evaluation in, Shape data, Tensor indices, int axis) {
        in.require(
                indices.shape().rank() == data.rank(),
                "indices have rank " + indices.shape().rank() + "; expected " + data.rank());
        for (int d = 0; d < data.rank(); d++) {
            in.require(
                    d == axis || indices.shape().dim(d) <= data.dim(d),
                    "indices are larger than the data at axis " + d);
        }
        return new ElementIndex(in, data, indices, axis);
    }

    /** Gives every flat position of the index tensor with the flat element of the data that it names. */
    void forEach(Visitor visitor) {
        Shape s = indices.shape();
        long[] strides = data.strides();
        long[] at = new long[s.rank()];
        long base = 0;
        for (long k = 0, total = s.elements(); k < total; k++) {
            visitor.visit(k, base + Indices.check(in, indices.getLong(k), data.dim(axis)) * strides[axis]);
            for (int d = s.rank() - 1; d >= 0; d--) {
                base += d == axis ? 0 : strides[d];
                if (++at[d] < s.dim(d)) {
                    break;
                }
                base -= d == axis ? 0 : strides[d] * at[d];
                at[d] = 0;
            }
        }
    }
}
