package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Writes slices at index tuples:  y = x; y[indices[i, 0], indices[i, 1], ...] = updates[i].
 * Inputs   x: any type, rank r >= 1; indices: INT64 [..., K]; updates: the type of x, indices' leading axes then what K
 *          leaves of x.    Output y: the type and shape of x.
 * Rules    1 <= K <= r; indices are in range.  With a reduction the update is combined with what is there.
 * Source   ONNX ScatterND-18.
 */
public record ScatterNd(ScatterReduction reduction) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("ScatterND", n -> new ScatterNd(ScatterReduction.of(n))));

    @Override
    public String name() {
        return "ScatterND";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64);
        in.require(in.dtype(2) == in.dtype(0), "element types of x and updates differ");
        in.require(reduction.accepts(in.dtype(0)), "reduction " + reduction + " is not defined for " + in.dtype(0));
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        Tensor updates = in.tensor(2);
        Shape xs = x.shape();
        Shape is = indices.shape();
        in.require(is.rank() >= 1 && is.dim(-1) <= xs.rank(), "index tuples do not fit rank " + xs.rank());
        int k = (int) is.dim(-1);
        long slice = xs.product(k, xs.rank());
        long tuples = is.product(0, is.rank() - 1);
        in.require(
                updates.size() == tuples * slice,
                "updates have " + updates.size() + " elements; expected " + tuples + " slices of " + slice);
        Tensor y = in.allocate(x.type(), xs);
        y.copyFrom(x);
        for (long t = 0; t < tuples; t++) {
            long to = TupleIndex.offset(in, indices, t * k, k, xs, 0);
            if (reduction == ScatterReduction.NONE) {
                Strided.copy(new long[] {slice}, updates, t * slice, new long[] {1}, y, to, new long[] {1});
            } else {
                for (long j = 0; j < slice; j++) {
                    reduction.apply(y, to + j, updates, t * slice + j);
                }
            }
        }
        return List.of(y);
    }
}
