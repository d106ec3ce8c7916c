package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonStructs;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.Unary;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.OptionalInt;

/** Elementwise operators: a chain of one operation. */
final class ElementwiseTactic {
    private ElementwiseTactic() {}

    static boolean unary(Node n, ProgramBuilder b) {
        Unary u = (Unary) n.op();
        return single(n, b, Functions.number(u.fn()), u.alpha(), u.beta());
    }

    static boolean binary(Node n, ProgramBuilder b) {
        return single(n, b, Functions.number(((Binary) n.op()).fn()), 0, 0);
    }

    /** One function of all the node's inputs. */
    static boolean single(Node n, ProgramBuilder b, OptionalInt function, double alpha, double beta) {
        if (function.isEmpty()) {
            return false;
        }
        MemorySegment ops = b.row(TenonStructs.ELEMENTWISE_OP, 1);
        write(ops, 0, function.getAsInt(), n.output(0).tensorType().dtype(), new long[] {0, 1, 2}, alpha, beta);
        add(n, b, n.inputs(), ops, 1);
        return true;
    }

    /** Writes operation {@code i} of a chain. */
    static void write(
            MemorySegment ops, int i, int function, DataType type, long[] operands, double alpha, double beta) {
        NativeStruct.at(TenonStructs.ELEMENTWISE_OP, ops, i)
                .set("function", (long) function)
                .set("dtype", (long) type.code())
                .set("operands", operands)
                .set("alpha", alpha)
                .set("beta", beta);
    }

    /** Adds a chain whose last operation is the node's output. */
    static void add(Node n, ProgramBuilder b, List<Value> inputs, MemorySegment ops, int opCount) {
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
