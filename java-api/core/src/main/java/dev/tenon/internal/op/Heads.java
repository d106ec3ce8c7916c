package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/** Attention operands for reference implementations: data in the order [batch, heads, length, size]. */
record Heads(double[] data, int batch, int heads, int length, int size) {
    /** Reads [B, H, S, D], or [B, S, H D] if {@code packed}. */
    static Heads of(Evaluation in, Tensor t, boolean packed, long headCount) {
        Shape s = t.shape();
        in.require(s.rank() == (packed ? 3 : 4), "an operand has shape " + s + "; expected rank " + (packed ? 3 : 4));
        if (!packed) {
            return of(t, HeadLayout.HEADS_FIRST);
        }
        in.require(headCount > 0 && s.dim(2) % headCount == 0, headCount + " heads do not divide " + s.dim(2));
        return of(t.reshaped(Shape.of(s.dim(0), s.dim(1), headCount, s.dim(2) / headCount)), HeadLayout.LENGTH_FIRST);
    }

    static Heads of(Tensor t, HeadLayout layout) {
        Shape s = t.shape();
        double[] v = t.toDoubleArray();
        int b = (int) s.dim(0);
        return switch (layout) {
            case HEADS_FIRST -> new Heads(v, b, (int) s.dim(1), (int) s.dim(2), (int) s.dim(3));
            case LENGTH_FIRST -> {
                int n = (int) s.dim(1);
                int h = (int) s.dim(2);
                int d = (int) s.dim(3);
                yield new Heads(swap(v, b, n, h, d), b, h, n, d);
            }
            case TRANSPOSED -> {
                int h = (int) s.dim(1);
                int d = (int) s.dim(2);
                int n = (int) s.dim(3);
                yield new Heads(swap(v, b * h, d, n, 1), b, h, n, d);
            }
        };
    }

    /** [a, b, c, d] as [a, c, b, d]. */
    private static double[] swap(double[] v, int a, int b, int c, int d) {
        double[] out = new double[v.length];
        for (int i = 0; i < a; i++) {
            for (int j = 0; j < b; j++) {
                for (int k = 0; k < c; k++) {
                    System.arraycopy(v, ((i * b + j) * c + k) * d, out, ((i * c + k) * b + j) * d, d);
                }
            }
        }
        return out;
    }

    /** This with {@code more} after it along the length. */
    Heads append(Evaluation in, Heads more) {
        in.require(
                batch == more.batch && heads == more.heads && size == more.size,
                "past and new keys or values have different shapes");
        int total = length + more.length;
        double[] out = new double[Math.toIntExact((long) batch * heads * total * size)];
        for (int i = 0; i < batch * heads; i++) {
            System.arraycopy(data, i * length * size, out, i * total * size, length * size);
            System.arraycopy(more.data, i * more.length * size, out, (i * total + length) * size, more.length * size);
        }
        return new Heads(out, batch, heads, total, size);
    }

    Tensor toTensor(Evaluation in, DataType type, boolean packed) {
        Tensor t = toTensor(in, type, packed ? HeadLayout.LENGTH_FIRST : HeadLayout.HEADS_FIRST);
        return packed ? t.reshaped(Shape.of(batch, length, (long) heads * size)) : t;
    }

    Tensor toTensor(Evaluation in, DataType type, HeadLayout layout) {
        Tensor t = Limits.allocate(in, type, layout.dims(batch, heads, length, size));
        t.copyFrom(
                switch (layout) {
                    case HEADS_FIRST -> data;
                    case LENGTH_FIRST -> swap(data, batch, heads, length, size);
                    case TRANSPOSED -> swap(data, batch * heads, length, size, 1);
                });
        return t;
    }
}
