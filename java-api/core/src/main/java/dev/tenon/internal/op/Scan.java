package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Runs a body once for each element of its scanned inputs:  (state..., scanned...) = body(state..., element..., captured...).
 * Inputs   the initial states; the inputs to scan, of one length along their axes; then every value that the body captures.
 * Outputs  the final states; then each scanned output, stacked along a new axis.
 * Rules    the lengths agree; states keep their type and shape.
 * Source   ONNX Scan-25; version 8 is {@link BatchedScan}.
 *
 * @param inputAxes one for each scanned input
 * @param outputAxes one for each scanned output
 */
public record Scan(
        Graph body,
        int states,
        List<Long> inputAxes,
        List<Boolean> inputsReversed,
        List<Long> outputAxes,
        List<Boolean> outputsReversed)
        implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Scan", 9, Scan::read));

    private static Scan read(OnnxNode n) {
        long scans = n.requireInteger("num_scan_inputs");
        if (scans < 1 || scans > n.inputCount()) {
            throw n.error("num_scan_inputs is " + scans + " but there are " + n.inputCount() + " inputs");
        }
        Graph body = n.graph("body");
        int states = n.inputCount() - (int) scans;
        int outputs = body.outputs().size() - states;
        if (outputs < 0) {
            throw n.error("the body has " + body.outputs().size() + " outputs but there are " + states + " states");
        }
        return new Scan(
                body,
                states,
                filled(n, "scan_input_axes", (int) scans),
                filled(n, "scan_input_directions", (int) scans).stream()
                        .map(d -> d != 0)
                        .toList(),
                filled(n, "scan_output_axes", outputs),
                filled(n, "scan_output_directions", outputs).stream()
                        .map(d -> d != 0)
                        .toList());
    }

    private static List<Long> filled(OnnxNode n, String name, int count) {
        List<Long> v = n.has(name) ? n.integers(name) : Collections.nCopies(count, 0L);
        if (v.size() != count) {
            throw n.error("attribute '" + name + "' has " + v.size() + " values; expected " + count);
        }
        return v;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(
                body.inputs().size() == in.inputCount() && in.inputCount() >= states + inputAxes.size(),
                "the body has " + body.inputs().size() + " inputs; expected " + in.inputCount());
        Dim length = Dim.unknown();
        for (int i = 0; i < inputAxes.size(); i++) {
            SymbolicShape s = in.shape(states + i);
            if (!s.isRanked()) {
                continue;
            }
            Dim d = s.dim(in.axis(inputAxes.get(i), s.rank()));
            in.require(
                    !d.isKnown() || !length.isKnown() || d.equals(length),
                    "the scanned inputs have lengths " + length + " and " + d);
            length = length.isKnown() ? length : d;
        }
        List<ValueType> out = new ArrayList<>();
        for (int i = 0; i < states; i++) {
            out.add(in.type(i));
        }
        for (int i = 0; i < outputAxes.size(); i++) {
            TensorType t = body.outputs().get(states + i).tensorType();
            if (!t.shape().isRanked()) {
                out.add(t);
                continue;
            }
            List<Dim> dims = new ArrayList<>();
            t.shape().dims().forEach(d -> dims.add(d.isKnown() ? d : Dim.unknown()));
            dims.add(in.axis(outputAxes.get(i), dims.size() + 1), length);
            out.add(new TensorType(t.dtype(), SymbolicShape.of(dims)));
        }
        return out;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        int scans = inputAxes.size();
        int[] axes = new int[scans];
        long length = -1;
        for (int i = 0; i < scans; i++) {
            Shape s = in.tensor(states + i).shape();
            axes[i] = in.axis(inputAxes.get(i), s.rank());
            in.require(length < 0 || s.dim(axes[i]) == length, "the scanned inputs have different lengths");
            length = s.dim(axes[i]);
        }
        List<Tensor> scanned = new ArrayList<>();
        for (int i = 0; i < scans; i++) {
            scanned.add(in.tensor(states + i));
        }
        List<Datum> state = new ArrayList<>();
        for (int i = 0; i < states; i++) {
            state.add(in.datum(i));
        }
        List<Datum> captured = new ArrayList<>();
        for (int i = states + scans; i < in.inputCount(); i++) {
            captured.add(in.datum(i));
        }
        return iterate(in, state, scanned, axes, length, captured);
    }

    /** The final states and the stacked outputs of {@code length} steps. */
    List<Datum> iterate(
            Evaluation in, List<Datum> initial, List<Tensor> scanned, int[] axes, long length, List<Datum> captured) {
        List<Datum> state = initial;
        List<Stack> stacks = new ArrayList<>();
        outputAxes.forEach(a -> stacks.add(new Stack()));
        try (IterationMemory memory = new IterationMemory(in)) {
            for (long step = 0; step < length; step++) {
                Evaluation.checkCancelled();
                memory.begin();
                List<Datum> arguments = new ArrayList<>(state);
                for (int i = 0; i < scanned.size(); i++) {
                    long at = inputsReversed.get(i) ? length - 1 - step : step;
                    arguments.add(memory.element(scanned.get(i), axes[i], at));
                }
                arguments.addAll(captured);
                List<Datum> results = memory.run(body, arguments);
                for (int i = 0; i < stacks.size(); i++) {
                    stacks.get(i).add(in, memory.keep(results.get(states + i)));
                }
                state = memory.end(results.subList(0, states));
            }
            state = memory.keepAll(state);
        }
        List<Datum> out = new ArrayList<>(state);
        for (int i = 0; i < stacks.size(); i++) {
            TensorType declared = body.outputs().get(states + i).tensorType();
            out.add(stacks.get(i).join(in, declared, Math.toIntExact(outputAxes.get(i)), outputsReversed.get(i)));
        }
        return out;
    }
}
