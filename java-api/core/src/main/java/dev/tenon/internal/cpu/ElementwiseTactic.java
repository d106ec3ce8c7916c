package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ffi.TenonStructs;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.Compare;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.FloatTest;
import dev.tenon.internal.op.Logical;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.Variadic;
import dev.tenon.internal.op.VariadicFn;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.LongStream;

/** Elementwise operators: chains of one or more functions. */
final class ElementwiseTactic {
    private ElementwiseTactic() {}

    static boolean unary(Node n, ProgramBuilder b) {
        Unary u = (Unary) n.op();
        return single(n, b, Functions.number(u.fn()), u.alpha(), u.beta());
    }

    static boolean binary(Node n, ProgramBuilder b) {
        return single(n, b, Functions.number(((Binary) n.op()).fn()), 0, 0);
    }

    static boolean compare(Node n, ProgramBuilder b) {
        return single(n, b, Functions.number(((Compare) n.op()).fn()), 0, 0);
    }

    static boolean logical(Node n, ProgramBuilder b) {
        return single(n, b, Functions.number(((Logical) n.op()).fn()), 0, 0);
    }

    static boolean floatTest(Node n, ProgramBuilder b) {
        FloatTest t = (FloatTest) n.op();
        return single(n, b, Functions.number(t.fn()), t.alpha(), t.beta());
    }

    static boolean where(Node n, ProgramBuilder b) {
        return single(n, b, OptionalInt.of(TenonConstants.FN_WHERE), 0, 0);
    }

    static boolean cast(Node n, ProgramBuilder b) {
        return single(n, b, OptionalInt.of(TenonConstants.FN_CAST), 0, 0);
    }

    /** Sum, Min and Max of any number of inputs: a function of two, again and again. */
    static boolean variadic(Node n, ProgramBuilder b) {
        VariadicFn fn = ((Variadic) n.op()).fn();
        int count = n.inputs().size();
        OptionalInt number = Functions.number(fn.step());
        DataType type = n.output(0).tensorType().dtype();
        if (number.isEmpty() || count < 2 || (fn == VariadicFn.MEAN && type != DataType.FLOAT32)) {
            return false;
        }
        int steps = fn == VariadicFn.MEAN ? count : count - 1;
        MemorySegment ops = b.row(TenonStructs.ELEMENTWISE_OP, steps);
        for (int i = 0; i < count - 1; i++) {
            long left = i == 0 ? 0 : count + i - 1L;
            write(ops, i, number.getAsInt(), type, new long[] {left, i + 1L, 0}, 0, 0);
        }
        if (fn == VariadicFn.MEAN) {
            long[] sum = {2L * count - 2, 0, 0};
            write(ops, count - 1, TenonConstants.FN_LINEAR, type, sum, 1.0 / count, 0);
        }
        add(n, b, n.inputs(), ops, steps);
        return true;
    }

    static boolean chain(Node n, ProgramBuilder b) {
        ElementwiseChain chain = (ElementwiseChain) n.op();
        List<ElementwiseChain.Step> steps = chain.steps();
        MemorySegment ops = b.row(TenonStructs.ELEMENTWISE_OP, steps.size());
        for (int i = 0; i < steps.size(); i++) {
            ElementwiseChain.Step s = steps.get(i);
            OptionalInt number = Functions.number(s.fn());
            if (number.isEmpty()) {
                return false;
            }
            long[] operands =
                    s.operands().stream().mapToLong(Integer::longValue).toArray();
            write(ops, i, number.getAsInt(), s.type(), operands, s.alpha(), s.beta());
        }
        add(n, b, n.inputs(), ops, steps.size());
        return true;
    }

    /** One function of all the node's inputs. */
    private static boolean single(Node n, ProgramBuilder b, OptionalInt function, double alpha, double beta) {
        if (function.isEmpty()) {
            return false;
        }
        MemorySegment ops = b.row(TenonStructs.ELEMENTWISE_OP, 1);
        long[] operands = LongStream.range(0, n.inputs().size()).toArray();
        write(ops, 0, function.getAsInt(), n.output(0).tensorType().dtype(), operands, alpha, beta);
        add(n, b, n.inputs(), ops, 1);
        return true;
    }

    /** Writes operation {@code i} of a chain. */
    private static void write(
            MemorySegment ops, int i, int function, DataType type, long[] operands, double alpha, double beta) {
        NativeStruct.at(TenonStructs.ELEMENTWISE_OP, ops, i)
                .set("function", (long) function)
                .set("dtype", (long) type.code())
                .set("operands", operands)
                .set("alpha", alpha)
                .set("beta", beta);
    }

    /** Adds a chain whose last operation is the node's output. */
    private static void add(Node n, ProgramBuilder b, List<Value> inputs, MemorySegment ops, int opCount) {
        NativeStruct p = b.params(ProgramStep.ELEMENTWISE)
                .set("input_count", (long) inputs.size())
                .set("inputs", b.longs(inputs.stream().mapToLong(b::id).toArray()))
                .set("op_count", (long) opCount)
                .set("ops", ops)
                .set("output_count", 1L)
                .set("outputs", b.longs(b.id(n.output(0))))
                .set("output_operands", b.longs(inputs.size() + opCount - 1L));
        b.add(ProgramStep.ELEMENTWISE, n, p);
    }
}
