package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
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
 * A matrix of the same elements:  the axes before {@code axis} become the rows, the rest the columns.
 * Inputs   x: any type.    Output y: [product of the first axes, product of the rest].
 * Rules    axis in [-rank, rank].    Aliasing: y is x under another shape.
 * Source   ONNX Flatten-25.
 */
public record Flatten(long axis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Flatten", n -> new Flatten(n.integer("axis", 1))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(2)));
        }
        int rank = x.rank();
        in.require(axis >= -rank && axis <= rank, "axis " + axis + " is outside [" + -rank + ", " + rank + "]");
        int at = (int) (axis < 0 ? axis + rank : axis);
        return List.of(new TensorType(
                in.dtype(0),
                SymbolicShape.of(
                        DimMath.product(x.dims().subList(0, at)),
                        DimMath.product(x.dims().subList(at, rank)))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        in.require(axis >= -rank && axis <= rank, "axis " + axis + " is outside [" + -rank + ", " + rank + "]");
        int at = (int) (axis < 0 ? axis + rank : axis);
        return List.of(x.reshaped(Shape.of(x.shape().product(0, at), x.shape().product(at, rank))));
    }
}
