package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.op.ArgReduce;
import dev.tenon.internal.op.Reduce;
import dev.tenon.internal.op.Softmax;
import dev.tenon.internal.op.SoftmaxKind;

/** Operators that fold axes, and softmax. */
final class ReduceTactic {
    private ReduceTactic() {}

    static boolean reduce(Node n, ProgramBuilder b) {
        Reduce r = (Reduce) n.op();
        int rank = ProgramBuilder.shape(n.input(0)).rank();
        Tensor axes = b.constant(n.input(1)).orElse(null);
        if (n.hasInput(1) && axes == null) {
            return false;
        }
        long mask = 0;
        if (axes == null || axes.size() == 0) {
            if (r.noopIfEmpty()) {
                return false;
            }
            mask = (1L << rank) - 1;
        } else {
            for (long i = 0; i < axes.size(); i++) {
                mask |= 1L << MovementTactic.axis(axes.getLong(i), rank);
            }
        }
        int kind = switch (r.fn()) {
            case SUM -> TenonConstants.REDUCE_SUM;
            case MEAN -> TenonConstants.REDUCE_MEAN;
            case MAX -> TenonConstants.REDUCE_MAX;
            case MIN -> TenonConstants.REDUCE_MIN;
            case PROD -> TenonConstants.REDUCE_PROD;
            case L1 -> TenonConstants.REDUCE_L1;
            case L2 -> TenonConstants.REDUCE_L2;
            case SUM_SQUARE -> TenonConstants.REDUCE_SUM_SQUARE;
            case LOG_SUM -> TenonConstants.REDUCE_LOG_SUM;
            case LOG_SUM_EXP -> TenonConstants.REDUCE_LOG_SUM_EXP;
        };
        return add(n, b, kind, mask, false);
    }

    static boolean arg(Node n, ProgramBuilder b) {
        ArgReduce a = (ArgReduce) n.op();
        int rank = ProgramBuilder.shape(n.input(0)).rank();
        int kind = a.max() ? TenonConstants.REDUCE_ARG_MAX : TenonConstants.REDUCE_ARG_MIN;
        return add(n, b, kind, 1L << MovementTactic.axis(a.axis(), rank), a.selectLast());
    }

    private static boolean add(Node n, ProgramBuilder b, int kind, long axes, boolean selectLast) {
        if (ProgramBuilder.shape(n.input(0)).elements() == 0 || axes == 0) {
            return false;
        }
        NativeStruct p = b.params(ProgramStep.REDUCE)
                .set("src", b.id(n.input(0)))
                .set("dst", b.id(n.output(0)))
                .set("kind", (long) kind)
                .set("axes", axes)
                .set("select_last", selectLast ? 1L : 0L);
        b.add(ProgramStep.REDUCE, n, p);
        return true;
    }

    static boolean softmax(Node n, ProgramBuilder b) {
        Softmax s = (Softmax) n.op();
        Shape x = ProgramBuilder.shape(n.input(0));
        if (n.input(0).tensorType().dtype() != DataType.FLOAT32 || s.kind() == SoftmaxKind.HARD || x.rank() == 0) {
            return false;
        }
        int axis = (int) MovementTactic.axis(s.axis(), x.rank());
        long log = s.kind() == SoftmaxKind.LOG ? 1 : 0;
        if (!s.flatten() || axis == x.rank() - 1) {
            softmax(n, b, b.id(n.input(0)), b.id(n.output(0)), axis, log);
            return true;
        }
        // All axes from here on count as one.
        Shape flat = Shape.of(x.product(0, axis), x.product(axis, x.rank()));
        long from = b.temp(DataType.FLOAT32, flat);
        long to = b.temp(DataType.FLOAT32, flat);
        reshape(n, b, b.id(n.input(0)), from);
        softmax(n, b, from, to, 1, log);
        reshape(n, b, to, b.id(n.output(0)));
        return true;
    }

    private static void softmax(Node n, ProgramBuilder b, long src, long dst, long axis, long log) {
        NativeStruct p = b.params(ProgramStep.SOFTMAX)
                .set("src", src)
                .set("dst", dst)
                .set("axis", axis)
                .set("log", log);
        b.add(ProgramStep.SOFTMAX, n, p);
    }

    private static void reshape(Node n, ProgramBuilder b, long src, long dst) {
        b.add(
                ProgramStep.RESHAPE,
                n,
                b.params(ProgramStep.RESHAPE).set("src", src).set("dst", dst));
    }
}
