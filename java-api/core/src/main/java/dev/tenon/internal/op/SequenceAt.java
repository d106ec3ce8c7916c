package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * One element of a sequence.
 * Inputs   sequence; position: INT32 or INT64 scalar, negative from the end.    Output the element.
 * Rules    the position lies in [-n, n).
 * Source   ONNX SequenceAt-11.
 */
public record SequenceAt() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("SequenceAt", n -> new SequenceAt()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        ValueType e = SequenceTypes.element(in, 0);
        return List.of(e instanceof TensorType ? SequenceTypes.tensor(in, 0) : e);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        TensorSequence s = in.sequence(0);
        return List.of(s.items().get(SequenceTypes.position(in, 1, s.size(), false)));
    }
}
