package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import java.lang.foreign.MemorySegment;

/** Copies of runs of elements between tensors of one type. */
final class Slices {
    private Slices() {}

    static void copy(Tensor from, long at, Tensor to, long toAt, long n) {
        int bits = from.type().bits();
        if (bits >= 8) {
            long size = bits / 8;
            MemorySegment.copy(from.segment(), at * size, to.segment(), toAt * size, n * size);
            return;
        }
        for (long i = 0; i < n; i++) {
            to.setFrom(toAt + i, from, at + i);
        }
    }

    /** Elements [start, start + length) along an axis; the axis stays. */
    static Tensor range(Evaluation in, Tensor t, int axis, long start, long length) {
        Tensor y = Limits.allocate(in, t.type(), rangeShape(t, axis, length));
        copyRange(t, axis, start, y);
        return y;
    }

    static Shape rangeShape(Tensor t, int axis, long length) {
        long[] dims = t.shape().dims();
        dims[axis] = length;
        return Shape.of(dims);
    }

    /** Fills {@code y} with the elements of {@code t} from {@code start} on along an axis. */
    static void copyRange(Tensor t, int axis, long start, Tensor y) {
        long size = t.shape().dim(axis);
        long length = y.shape().dim(axis);
        long inner = t.shape().product(axis + 1, t.shape().rank());
        for (long o = 0, n = t.shape().product(0, axis); o < n; o++) {
            copy(t, (o * size + start) * inner, y, o * length * inner, length * inner);
        }
    }

    /** The same elements without an axis of size 1. */
    static Tensor withoutAxis(Tensor t, int axis) {
        long[] dims = new long[t.shape().rank() - 1];
        for (int d = 0; d < dims.length; d++) {
            dims[d] = t.shape().dim(d < axis ? d : d + 1);
        }
        return t.reshaped(Shape.of(dims));
    }
}
