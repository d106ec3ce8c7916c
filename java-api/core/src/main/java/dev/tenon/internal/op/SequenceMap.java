package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a body once for each element of a sequence:  element' ... = body(element, further elements or tensors, captured...).
 * Inputs   the sequence; further sequences of its length (one element each) or tensors (the same each time); then every value
 *          that the body captures.
 * Outputs  one sequence for each output of the body.
 * Rules    the sequences have one length.
 * Source   ONNX SequenceMap-17.
 *
 * @param arguments the inputs that are not captured
 */
public record SequenceMap(Graph body, int arguments) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("SequenceMap", n -> new SequenceMap(n.graph("body"), n.inputCount())));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.type(0) instanceof SequenceType, "input 0 is a " + in.type(0) + "; expected a sequence");
        in.require(
                body.inputs().size() == in.inputCount(),
                "the body has " + body.inputs().size() + " inputs; expected " + in.inputCount());
        return body.outputs().stream()
                .<ValueType>map(v -> new SequenceType(forget(v.type())))
                .toList();
    }

    /** Sizes that are symbols may differ from element to element. */
    private static ValueType forget(ValueType type) {
        if (type instanceof TensorType t && t.shape().isRanked()) {
            return new TensorType(
                    t.dtype(),
                    SymbolicShape.of(t.shape().dims().stream()
                            .map(d -> d.isKnown() ? d : Dim.unknown())
                            .toList()));
        }
        return type;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        int length = in.sequence(0).size();
        List<List<Datum>> out = new ArrayList<>();
        body.outputs().forEach(v -> out.add(new ArrayList<>()));
        try (IterationMemory memory = new IterationMemory(in)) {
            for (int i = 0; i < length; i++) {
                Evaluation.checkCancelled();
                memory.begin();
                List<Datum> actual = new ArrayList<>();
                for (int a = 0; a < in.inputCount(); a++) {
                    if (a < arguments && in.datum(a) instanceof TensorSequence s) {
                        in.require(
                                s.size() == length, "sequence " + a + " has " + s.size() + " elements, not " + length);
                        actual.add(s.items().get(i));
                    } else {
                        actual.add(in.datum(a));
                    }
                }
                List<Datum> results = memory.run(body, actual);
                for (int o = 0; o < out.size(); o++) {
                    out.get(o).add(memory.keep(results.get(o)));
                }
                memory.end(List.of());
            }
        }
        return out.stream().<Datum>map(TensorSequence::new).toList();
    }
}
