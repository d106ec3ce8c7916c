package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Unary;
import java.util.Optional;

/** Matrix products. */
final class MatMulTactic {
    private MatMulTactic() {}

    static boolean plain(Node n, ProgramBuilder b) {
        return lower(n, b, n.input(0), n.input(1), Value.ABSENT, Value.ABSENT, false, false, 1, 1, Optional.empty());
    }

    /** dst = activation(alpha op(a) op(b) + beta bias + residual). */
    static boolean lower(
            Node n,
            ProgramBuilder b,
            Value left,
            Value right,
            Value bias,
            Value residual,
            boolean transposeA,
            boolean transposeB,
            double alpha,
            double beta,
            Optional<Unary> activation) {
        if (left.tensorType().dtype() != DataType.FLOAT32) {
            return false;
        }
        Shape a = ProgramBuilder.shape(left);
        Shape w = ProgramBuilder.shape(right);
        if (a.rank() < 2 || w.rank() < 2) {
            return false;
        }
        NativeStruct p = b.params(ProgramStep.MATMUL)
                .set("a", b.id(left))
                .set("b", b.id(right))
                .set("bias", b.id(bias))
                .set("dst", b.id(n.output(0)))
                .set("transpose_a", transposeA ? 1 : 0)
                .set("transpose_b", transposeB ? 1 : 0)
                .set("alpha", alpha)
                .set("beta", beta);
        if (!PostOps.write(p, residual.isAbsent() ? TenonConstants.NO_VALUE : b.id(residual), activation)) {
            return false;
        }
        b.add(ProgramStep.MATMUL, n, p);
        return true;
    }
}
