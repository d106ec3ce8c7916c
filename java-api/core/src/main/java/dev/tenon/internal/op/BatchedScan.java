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
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * A {@link Scan} for each sample of a batch.
 * Inputs   INT64 [B] sequence lengths or absent; the initial states [B, ...]; the inputs to scan [B, S, ...]; then every value
 *          that the body captures.
 * Outputs  the final states [B, ...]; the scanned outputs [B, S, ...], zero beyond a sample's length.
 * Rules    B and S agree; lengths lie in [0, S].
 * Source   ONNX Scan-8.
 */
public record BatchedScan(Scan scan) implements Op {
    static final List<OpSpec> SPECS = List.of(new OpSpec("", "Scan", 8, 8, BatchedScan::read));

    private static BatchedScan read(OnnxNode n) {
        long scans = n.requireInteger("num_scan_inputs");
        if (scans < 1 || scans >= n.inputCount()) {
            throw n.error("num_scan_inputs is " + scans + " but there are " + n.inputCount() + " inputs");
        }
        Graph body = n.graph("body");
        int states = n.inputCount() - 1 - (int) scans;
        int outputs = body.outputs().size() - states;
        if (outputs < 0) {
            throw n.error("the body has " + body.outputs().size() + " outputs but there are " + states + " states");
        }
        List<Long> reversed = n.has("directions") ? n.integers("directions") : Collections.nCopies((int) scans, 0L);
        if (reversed.size() != scans) {
            throw n.error("directions is " + reversed + "; expected " + scans + " values");
        }
        return new BatchedScan(new Scan(
                body,
                states,
                Collections.nCopies((int) scans, 0L),
                reversed.stream().map(d -> d != 0).toList(),
                Collections.nCopies(outputs, 0L),
                Collections.nCopies(outputs, false)));
    }

    @Override
    public String name() {
        return "Scan";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    private int scans() {
        return scan.inputAxes().size();
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(
                scan.body().inputs().size() + 1 == in.inputCount() && in.inputCount() >= 1 + scan.states() + scans(),
                "the body has " + scan.body().inputs().size() + " inputs; expected " + (in.inputCount() - 1));
        SymbolicShape first = in.shape(1 + scan.states());
        in.require(!first.isRanked() || first.rank() >= 2, "a scanned input has shape " + first);
        List<ValueType> out = new ArrayList<>();
        for (int i = 0; i < scan.states(); i++) {
            out.add(in.type(1 + i));
        }
        for (Value v : scan.body()
                .outputs()
                .subList(scan.states(), scan.body().outputs().size())) {
            TensorType t = v.tensorType();
            if (!t.shape().isRanked()) {
                out.add(t);
                continue;
            }
            List<Dim> dims = new ArrayList<>();
            dims.add(first.isRanked() ? first.dim(0) : Dim.unknown());
            dims.add(first.isRanked() ? first.dim(1) : Dim.unknown());
            t.shape().dims().forEach(d -> dims.add(d.isKnown() ? d : Dim.unknown()));
            out.add(new TensorType(t.dtype(), SymbolicShape.of(dims)));
        }
        return out;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        int states = scan.states();
        Shape first = in.tensor(1 + states).shape();
        in.require(first.rank() >= 2, "a scanned input has shape " + first);
        long batch = first.dim(0);
        long length = first.dim(1);
        for (int i = 1; i < 1 + states + scans(); i++) {
            Shape s = in.tensor(i).shape();
            in.require(
                    s.rank() >= 1 && s.dim(0) == batch && (i <= states || s.rank() >= 2 && s.dim(1) == length),
                    "input " + i + " has shape " + s + ", which does not fit " + batch + " samples of " + length);
        }
        long[] lengths = in.has(0) ? in.tensor(0).toLongArray() : null;
        in.require(lengths == null || lengths.length == batch, "there is not one length for each sample");
        List<Datum> captured = new ArrayList<>();
        for (int i = 1 + states + scans(); i < in.inputCount(); i++) {
            captured.add(in.datum(i));
        }
        int outputs = scan.body().outputs().size();
        List<Stack> stacks = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            stacks.add(new Stack());
        }
        for (int b = 0; b < batch; b++) {
            long steps = lengths == null ? length : lengths[b];
            in.require(steps >= 0 && steps <= length, "sequence length " + steps + " is outside [0, " + length + "]");
            List<Datum> state = new ArrayList<>();
            for (int i = 0; i < states; i++) {
                state.add(sample(in, 1 + i, b));
            }
            List<Tensor> scanned = new ArrayList<>();
            for (int i = 0; i < scans(); i++) {
                Tensor x = sample(in, 1 + states + i, b);
                scanned.add(Slices.range(in, x, 0, 0, steps));
            }
            List<Datum> results = scan.iterate(in, state, scanned, new int[scans()], steps, captured);
            for (int i = 0; i < outputs; i++) {
                stacks.get(i).add(in, i < states ? results.get(i) : padded(in, (Tensor) results.get(i), length));
            }
        }
        List<Datum> out = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            out.add(stacks.get(i).join(in, scan.body().outputs().get(i).tensorType(), 0, false));
        }
        return out;
    }

    private static Tensor sample(Evaluation in, int input, int b) {
        return Slices.withoutAxis(Slices.range(in, in.tensor(input), 0, b, 1), 0);
    }

    /** The tensor with zeros after it along the first axis. */
    private static Tensor padded(Evaluation in, Tensor t, long length) {
        if (t.shape().dim(0) == length) {
            return t;
        }
        long[] dims = t.shape().dims();
        dims[0] = length;
        Tensor y = Limits.allocate(in, t.type(), dims);
        Slices.copy(t, 0, y, 0, t.size());
        return y;
    }
}
