package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * A sequence with one element more or less.
 * Inputs   Insert: sequence, tensor of its element type, position: INT32 or INT64 scalar or absent (the end).
 *          Erase: sequence, position or absent (the last).
 * Output   the new sequence.
 * Rules    the position lies in [-n, n] for Insert, [-n, n) for Erase.
 * Source   ONNX SequenceInsert-11, SequenceErase-11.
 */
public record SequenceEdit(boolean insert) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("SequenceErase", n -> new SequenceEdit(false)),
            OpSpec.onnx("SequenceInsert", n -> new SequenceEdit(true)));

    @Override
    public String name() {
        return insert ? "SequenceInsert" : "SequenceErase";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        ValueType element = SequenceTypes.element(in, 0);
        if (!insert) {
            return List.of(in.type(0));
        }
        if (element instanceof TensorType t) {
            in.require(t.dtype() == in.dtype(1), "cannot insert " + in.tensor(1) + " in a " + in.type(0));
        }
        return List.of(new SequenceType(SequenceTypes.common(element, in.tensor(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Datum> items = new ArrayList<>(in.sequence(0).items());
        int at = insert ? 2 : 1;
        if (insert) {
            items.add(in.has(at) ? SequenceTypes.position(in, at, items.size(), true) : items.size(), in.tensor(1));
        } else {
            in.require(!items.isEmpty(), "the sequence is empty");
            items.remove(in.has(at) ? SequenceTypes.position(in, at, items.size(), false) : items.size() - 1);
        }
        return List.of(new TensorSequence(items));
    }
}
