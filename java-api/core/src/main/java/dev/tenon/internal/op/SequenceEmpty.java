package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * A sequence without elements.
 * Output   a sequence of tensors of {@code dtype}.
 * Source   ONNX SequenceEmpty-11.
 */
public record SequenceEmpty(DataType dtype) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("SequenceEmpty", n -> new SequenceEmpty(n.dtype("dtype", DataType.FLOAT32))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        return List.of(new SequenceType(TensorType.unranked(dtype)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(new TensorSequence(List.of()));
    }
}
