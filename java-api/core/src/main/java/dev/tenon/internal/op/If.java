package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs one of two bodies.
 * Inputs   condition: BOOL, one element; then every value that the bodies capture, which are the bodies' formal inputs.
 * Rules    both bodies have as many outputs as the node; output i has one type in both.
 * Source   ONNX If-25.
 */
public record If(Graph thenBranch, Graph elseBranch) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("If", n -> new If(n.graph("then_branch"), n.graph("else_branch"))));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTROL_FLOW;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.BOOL);
        in.require(
                !in.shape(0).isConcrete() || in.shape(0).concrete().elements() == 1,
                "the condition has shape " + in.shape(0) + "; expected one element");
        int outputs = thenBranch.outputs().size();
        in.require(
                elseBranch.outputs().size() == outputs,
                "the branches have " + outputs + " and " + elseBranch.outputs().size() + " outputs");
        List<ValueType> types = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            types.add(merge(
                    in,
                    thenBranch.outputs().get(i).type(),
                    elseBranch.outputs().get(i).type()));
        }
        return types;
    }

    /** What is known whichever branch runs. */
    private static ValueType merge(Inference in, ValueType a, ValueType b) {
        return switch (a) {
            case TensorType x when b instanceof TensorType y -> merge(in, x, y);
            case SequenceType(ValueType x)
            when b instanceof SequenceType(ValueType y) -> new SequenceType(merge(in, x, y));
            case OptionalType(ValueType x)
            when b instanceof OptionalType(ValueType y) -> new OptionalType(merge(in, x, y));
            default -> throw in.error("the branches give a " + a + " and a " + b);
        };
    }

    private static TensorType merge(Inference in, TensorType x, TensorType y) {
        in.require(x.dtype() == y.dtype(), "the branches give element types " + x.dtype() + " and " + y.dtype());
        return new TensorType(x.dtype(), SymbolicShape.common(x.shape(), y.shape()));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor given = in.tensor(0);
        in.require(given.size() == 1, "the condition has shape " + given.shape() + "; expected one element");
        boolean condition = given.getBoolean(0);
        List<Datum> captured = new ArrayList<>();
        for (int i = 1; i < in.inputCount(); i++) {
            captured.add(in.datum(i));
        }
        return in.run(condition ? thenBranch : elseBranch, captured);
    }
}
