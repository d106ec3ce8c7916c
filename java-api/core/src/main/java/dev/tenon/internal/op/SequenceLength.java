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

/**
 * The number of elements of a sequence.
 * Inputs   sequence.    Output INT64 scalar.
 * Source   ONNX SequenceLength-11.
 */
public record SequenceLength() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("SequenceLength", n -> new SequenceLength()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SequenceTypes.element(in, 0);
        return List.of(new TensorType(DataType.INT64, SymbolicShape.SCALAR));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor y = in.allocate(DataType.INT64, Shape.scalar());
        y.setLong(0, in.sequence(0).size());
        return List.of(y);
    }
}
