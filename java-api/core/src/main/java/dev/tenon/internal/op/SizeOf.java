package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
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
 * The number of elements of a tensor.
 * Inputs   x: any type.    Output y: INT64 scalar.    Source ONNX Size-25.
 */
public record SizeOf() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Size", n -> new SizeOf()));

    @Override
    public String name() {
        return "Size";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.tensor(0);
        return List.of(new TensorType(DataType.INT64, SymbolicShape.SCALAR));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.shape(0).isRanked()
                ? Optional.of(List.of(DimMath.product(in.shape(0).dims())))
                : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor y = in.allocate(DataType.INT64, Shape.scalar());
        y.setLong(0, in.tensor(0).size());
        return List.of(y);
    }
}
