package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.Compare;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.FloatTest;
import dev.tenon.internal.op.Logical;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import dev.tenon.internal.op.Where;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Elementwise nodes as steps of a chain, for the functions and types that chains have kernels for. */
final class ChainSteps {
    private static final Set<DataType> REAL = EnumSet.of(DataType.FLOAT32, DataType.FLOAT64);
    private static final Set<DataType> WHOLE = EnumSet.of(
            DataType.INT8,
            DataType.INT16,
            DataType.INT32,
            DataType.INT64,
            DataType.UINT8,
            DataType.UINT16,
            DataType.UINT32,
            DataType.UINT64);
    private static final Set<DataType> HALF = EnumSet.of(DataType.FLOAT16, DataType.BFLOAT16);
    private static final Set<UnaryFn> ON_INTEGERS =
            EnumSet.of(UnaryFn.ABS, UnaryFn.NEG, UnaryFn.SIGN, UnaryFn.RELU, UnaryFn.CLIP, UnaryFn.BIT_NOT);
    private static final Set<BinaryFn> BITS =
            EnumSet.of(BinaryFn.BIT_AND, BinaryFn.BIT_OR, BinaryFn.BIT_XOR, BinaryFn.SHIFT_LEFT, BinaryFn.SHIFT_RIGHT);

    private ChainSteps() {}

    /** True if {@code n} can be part of a chain. */
    static boolean isCandidate(Node n) {
        if (n.outputs().size() != 1
                || !(n.output(0).type() instanceof TensorType t)
                || !t.shape().isRanked()) {
            return false;
        }
        // Small integer vectors may describe shapes, which inference follows through plain operators only.
        if (t.dtype().isInteger() && t.shape().rank() <= 1) {
            return false;
        }
        DataType out = t.dtype();
        return switch (n.op()) {
            case ElementwiseChain _ -> true;
            case Unary u ->
                switch (u.fn()) {
                    case LOGICAL_NOT -> true;
                    case BIT_NOT -> WHOLE.contains(out);
                    default -> REAL.contains(out) || (WHOLE.contains(out) && ON_INTEGERS.contains(u.fn()));
                };
            case Binary(BinaryFn fn) ->
                type(n, 0) == out && type(n, 1) == out && (BITS.contains(fn) ? WHOLE.contains(out) : isNumber(out));
            case Compare(CompareFn fn) ->
                isNumber(type(n, 0)) || (fn == CompareFn.EQUAL && type(n, 0) == DataType.BOOL);
            case Logical _ -> true;
            case FloatTest _ -> REAL.contains(type(n, 0));
            case Where _ -> isStored(out);
            case Cast _ -> isStored(out) && isStored(type(n, 0));
            default -> false;
        };
    }

    /** The number of steps that {@code n} becomes. */
    static int count(Node n) {
        return n.op() instanceof ElementwiseChain c ? c.steps().size() : 1;
    }

    /**
     * Adds the steps of {@code n}.
     *
     * @param operands the operand numbers of the node's inputs
     * @param inputs the number of the new chain's inputs
     */
    static void append(Node n, Map<Value, Integer> operands, int inputs, List<Step> steps) {
        List<Integer> in = n.inputs().stream().map(operands::get).toList();
        DataType type = n.output(0).tensorType().dtype();
        switch (n.op()) {
            case ElementwiseChain c -> {
                int first = inputs + steps.size();
                for (Step s : c.steps()) {
                    List<Integer> moved = s.operands().stream()
                            .map(o -> o < c.inputs() ? in.get(o) : first + o - c.inputs())
                            .toList();
                    steps.add(new Step(s.fn(), s.type(), moved, s.alpha(), s.beta()));
                }
            }
            case Unary u -> steps.add(new Step(u.fn(), type, in, u.alpha(), u.beta()));
            case FloatTest t -> steps.add(new Step(t.fn(), type, in, t.alpha(), t.beta()));
            case Binary b -> steps.add(new Step(b.fn(), type, in, 0, 0));
            case Compare c -> steps.add(new Step(c.fn(), type, in, 0, 0));
            case Logical l -> steps.add(new Step(l.fn(), type, in, 0, 0));
            case Where _ -> steps.add(new Step(ChainFn.WHERE, type, in, 0, 0));
            case Cast _ -> steps.add(new Step(ChainFn.CAST, type, in, 0, 0));
            default -> throw new IllegalArgumentException(n.describe() + " cannot be part of a chain");
        }
    }

    private static DataType type(Node n, int input) {
        return n.input(input).tensorType().dtype();
    }

    private static boolean isNumber(DataType t) {
        return REAL.contains(t) || WHOLE.contains(t);
    }

    private static boolean isStored(DataType t) {
        return isNumber(t) || HALF.contains(t) || t == DataType.BOOL;
    }
}
