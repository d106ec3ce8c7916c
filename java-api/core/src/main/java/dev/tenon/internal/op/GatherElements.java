package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Takes single elements along an axis:  y[i, j, k] = x[i, indices[i, j, k], k] for axis 1.
 * Inputs   x: any type, rank >= 1; indices: INT32 or INT64 of the same rank.    Output y: the type of x, shape of indices.
 * Rules    off the axis indices is no larger than x; indices are in [-n, n).
 * Source   ONNX GatherElements-13.
 */
public record GatherElements(long axis) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("GatherElements", n -> new GatherElements(n.integer("axis", 0))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64, DataType.INT32);
        SymbolicShape x = in.shape(0);
        SymbolicShape i = in.shape(1);
        if (x.isRanked()) {
            in.axis(axis, x.rank());
            in.require(
                    !i.isRanked() || i.rank() == x.rank(),
                    "indices have rank " + (i.isRanked() ? i.rank() : 0) + "; expected " + x.rank());
        }
        return List.of(new TensorType(in.dtype(0), i.isRanked() || !x.isRanked() ? i : SymbolicShape.ofRank(x.rank())));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        int at = in.axis(axis, x.shape().rank());
        ElementIndex e = ElementIndex.of(in, x.shape(), indices, at);
        Tensor y = Limits.allocate(in, x.type(), indices.shape());
        e.forEach((k, i) -> y.setFrom(k, x, i));
        return List.of(y);
    }
}
