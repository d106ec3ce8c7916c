package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * A sequence of its inputs.
 * Inputs   one or more tensors of one element type.    Output a sequence of them.
 * Source   ONNX SequenceConstruct-11.
 */
public record SequenceConstruct() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("SequenceConstruct", n -> new SequenceConstruct()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.inputCount() >= 1, "a sequence is constructed of at least one tensor");
        ValueType type = in.tensor(0);
        for (int i = 1; i < in.inputCount(); i++) {
            in.require(in.dtype(i) == in.dtype(0), "the tensors have different element types");
            type = SequenceTypes.common(type, in.tensor(i));
        }
        return List.of(new SequenceType(type));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Datum> items = new ArrayList<>();
        for (int i = 0; i < in.inputCount(); i++) {
            items.add(in.tensor(i));
        }
        return List.of(new TensorSequence(items));
    }
}
