package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Writes single elements along an axis:  y = x; y[i, indices[i, j], k] = updates[i, j, k] for axis 1.
 * Inputs   x: any type, rank >= 1; indices: INT32 or INT64 of that rank; updates: the type of x, the shape of indices.
 * Output   y: the type and shape of x.
 * Rules    off the axis indices is no larger than x; indices are in [-n, n).  With a reduction the update is combined with
 *          what is there, in row-major order of the indices.
 * Source   ONNX ScatterElements-18, Scatter-9.
 */
public record ScatterElements(long axis, ScatterReduction reduction) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("ScatterElements", n -> new ScatterElements(n.integer("axis", 0), ScatterReduction.of(n))),
            OpSpec.onnx("Scatter", n -> new ScatterElements(n.integer("axis", 0), ScatterReduction.NONE)));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64, DataType.INT32);
        in.require(in.dtype(2) == in.dtype(0), "element types of x and updates differ");
        in.require(reduction.accepts(in.dtype(0)), "reduction " + reduction + " is not defined for " + in.dtype(0));
        if (in.shape(0).isRanked()) {
            in.axis(axis, in.shape(0).rank());
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        Tensor updates = in.tensor(2);
        in.require(updates.shape().equals(indices.shape()), "shapes of indices and updates differ");
        int at = in.axis(axis, x.shape().rank());
        ElementIndex e = ElementIndex.of(in, x.shape(), indices, at);
        Tensor y = in.allocate(x.type(), x.shape());
        y.copyFrom(x);
        e.forEach((k, i) -> reduction.apply(y, i, updates, k));
        return List.of(y);
    }
}
