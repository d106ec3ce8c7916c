package dev.tenon.internal.op;

import dev.tenon.DataType;
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
import java.util.Optional;

/**
 * A matrix with ones on a diagonal:  y[i, i + k] = 1, else 0.
 * Inputs   x: a matrix of any type, whose shape counts.    Output y: that shape, element type {@code type} or that of x.
 * Source   ONNX EyeLike-22.
 */
public record EyeLike(Optional<DataType> type, long k) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "EyeLike",
            n -> new EyeLike(
                    n.has("dtype") ? Optional.of(n.dtype("dtype", DataType.FLOAT32)) : Optional.empty(),
                    n.integer("k", 0))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType t = type.orElse(in.dtype(0));
        in.require(t.isFloat() || t.isInteger() || t == DataType.BOOL, "not defined for element type " + t);
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() == 2, "the input must be a matrix");
        return List.of(new TensorType(t, in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(2)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Shape s = in.tensor(0).shape();
        in.require(s.rank() == 2, "the input must be a matrix");
        Tensor y = Limits.allocate(in, type.orElse(in.tensor(0).type()), s);
        long rows = s.dim(0);
        long columns = s.dim(1);
        if (k > -rows && k < columns) {
            for (long i = Math.max(0, -k); i < rows && i + k < columns; i++) {
                y.setLong(i * columns + i + k, 1);
            }
        }
        return List.of(y);
    }
}
