package dev.tenon.internal.op;

import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.SymbolicShape;

/** The order of the axes of an attention operand: batch B, heads H, sequence length S, head size D. */
public enum HeadLayout {
    /** [B, H, S, D]. */
    HEADS_FIRST(1, 2, 3),
    /** [B, S, H, D]. */
    LENGTH_FIRST(2, 1, 3),
    /** [B, H, D, S]: keys that are transposed already. */
    TRANSPOSED(1, 3, 2);

    /** The axis of the heads. */
    public final int heads;
    /** The axis of the sequence. */
    public final int length;
    /** The axis of the elements of one head. */
    public final int size;

    HeadLayout(int heads, int length, int size) {
        this.heads = heads;
        this.length = length;
        this.size = size;
    }

    long[] dims(long batch, long headCount, long sequence, long headSize) {
        long[] d = new long[4];
        d[0] = batch;
        d[heads] = headCount;
        d[length] = sequence;
        d[size] = headSize;
        return d;
    }

    SymbolicShape shape(Dim batch, Dim headCount, Dim sequence, Dim headSize) {
        Dim[] d = new Dim[4];
        d[0] = batch;
        d[heads] = headCount;
        d[length] = sequence;
        d[size] = headSize;
        return SymbolicShape.of(d);
    }
}
