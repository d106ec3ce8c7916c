package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/** Index tuples as GatherND and ScatterND read them. */
final class TupleIndex {
    private TupleIndex() {}

    /**
     * The flat offset of the slice that the tuple of {@code k} entries at flat position {@code at} names, from axis {@code
     * firstAxis} of a tensor of shape {@code data}.
     */
    static long offset(Evaluation in, Tensor indices, long at, int k, Shape data, int firstAxis) {
        long[] strides = data.strides();
        long offset = 0;
        for (int j = 0; j < k; j++) {
            offset += Indices.check(in, indices.getLong(at + j), data.dim(firstAxis + j)) * strides[firstAxis + j];
        }
        return offset;
    }
}
