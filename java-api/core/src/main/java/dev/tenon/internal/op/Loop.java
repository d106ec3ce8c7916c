package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a body again and again:  (condition, state..., scanned...) = body(iteration, condition, state..., captured...).
 * Inputs   trip count: INT64 scalar or absent (no bound); condition: BOOL scalar or absent (true); the initial states; then
 *          every value that the body captures.
 * Outputs  the final states; then each scanned output, stacked along a new first axis.
 * Rules    the body has 2 + states + captured inputs, and at least 1 + states outputs; the element type of a state stays;
 *          every iteration gives a scanned output one shape.
 * Source   ONNX Loop-25.
 */
public record Loop(Graph body, int states) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("Loop", n -> new Loop(n.graph("body"), Math.max(0, n.inputCount() - 2))));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.inputCount() >= 2 + states, "there are fewer inputs than states");
        in.require(
                body.inputs().size() == in.inputCount() && body.outputs().size() >= 1 + states,
                "the body has " + body.inputs().size() + " inputs and "
                        + body.outputs().size() + " outputs; expected " + in.inputCount() + " inputs and at least "
                        + (1 + states) + " outputs");
        List<ValueType> out = new ArrayList<>();
        for (int i = 0; i < states; i++) {
            out.add(either(in, in.type(2 + i), body.outputs().get(1 + i).type()));
        }
        for (Value v : body.outputs().subList(1 + states, body.outputs().size())) {
            TensorType t = v.tensorType();
            if (!t.shape().isRanked()) {
                out.add(t);
                continue;
            }
            List<Dim> dims = new ArrayList<>(List.of(Dim.unknown()));
            t.shape().dims().forEach(d -> dims.add(d.isKnown() ? d : Dim.unknown()));
            out.add(new TensorType(t.dtype(), SymbolicShape.of(dims)));
        }
        return out;
    }

    /** What is known of a state after any number of iterations; sizes named inside the body mean nothing outside. */
    private static ValueType either(Inference in, ValueType before, ValueType after) {
        if (!(before instanceof TensorType a) || !(after instanceof TensorType b)) {
            // A state may begin as an optional value and become the plain one that the body makes of it.
            in.require(
                    before instanceof OptionalType || before.getClass() == after.getClass(),
                    "a state is first a " + before + ", then a " + after);
            return before instanceof OptionalType ? after : before;
        }
        in.require(a.dtype() == b.dtype(), "a state has first element type " + a.dtype() + ", then " + b.dtype());
        if (!a.shape().isRanked()
                || !b.shape().isRanked()
                || a.shape().rank() != b.shape().rank()) {
            return TensorType.unranked(a.dtype());
        }
        List<Dim> dims = new ArrayList<>();
        for (int i = 0; i < a.shape().rank(); i++) {
            Dim d = a.shape().dim(i);
            dims.add(d.isKnown() && d.equals(b.shape().dim(i)) ? d : Dim.unknown());
        }
        return new TensorType(a.dtype(), SymbolicShape.of(dims));
    }

    private static Tensor one(Evaluation in, Datum d) {
        in.require(d instanceof Tensor t && t.size() == 1, "trips and conditions must have one element, not " + d);
        return (Tensor) d;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        long trips = in.has(0) ? one(in, in.datum(0)).getLong(0) : Long.MAX_VALUE;
        boolean go = !in.has(1) || one(in, in.datum(1)).getBoolean(0);
        List<Datum> state = new ArrayList<>();
        for (int i = 0; i < states; i++) {
            state.add(in.datum(2 + i));
        }
        int scans = body.outputs().size() - 1 - states;
        List<Stack> stacks = new ArrayList<>();
        for (int i = 0; i < scans; i++) {
            stacks.add(new Stack());
        }
        try (IterationMemory memory = new IterationMemory(in)) {
            for (long trip = 0; trip < trips && go; trip++) {
                Evaluation.checkCancelled();
                memory.begin();
                List<Datum> arguments = new ArrayList<>();
                arguments.add(memory.scalar(DataType.INT64, trip));
                arguments.add(memory.scalar(DataType.BOOL, 1));
                arguments.addAll(state);
                for (int i = 2 + states; i < in.inputCount(); i++) {
                    arguments.add(in.datum(i));
                }
                List<Datum> results = memory.run(body, arguments);
                go = one(in, results.getFirst()).getBoolean(0);
                for (int i = 0; i < scans; i++) {
                    stacks.get(i).add(in, memory.keep(results.get(1 + states + i)));
                }
                state = memory.end(results.subList(1, 1 + states));
            }
            state = memory.keepAll(state);
        }
        List<Datum> out = new ArrayList<>(state);
        for (int i = 0; i < scans; i++) {
            out.add(stacks.get(i).join(in, body.outputs().get(1 + states + i).tensorType(), 0, false));
        }
        return out;
    }
}
