package dev.tenon.internal.cpu;

import dev.tenon.DataType;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.Gemm;
import dev.tenon.internal.op.Unary;
import java.util.Optional;

/** Matrix products. */
final class MatMulTactic {
    private MatMulTactic() {}

    static boolean plain(Node n, ProgramBuilder b) {
        return lower(n, b, Value.ABSENT, Value.ABSENT, false, false, 1, 1, Optional.empty());
    }

    static boolean gemm(Node n, ProgramBuilder b) {
        Gemm g = (Gemm) n.op();
        return lower(n, b, n.input(2), Value.ABSENT, g.transA(), g.transB(), g.alpha(), g.beta(), Optional.empty());
    }

    static boolean fused(Node n, ProgramBuilder b) {
        FusedMatMul m = (FusedMatMul) n.op();
        return lower(
                n,
                b,
                n.input(FusedMatMul.BIAS),
                m.residual() ? n.input(FusedMatMul.RESIDUAL) : Value.ABSENT,
                m.transA(),
                m.transB(),
                m.alpha(),
                1,
                m.activation());
    }

    /** dst = activation(alpha op(a) op(b) + beta bias + residual). */
    private static boolean lower(
            Node n,
            ProgramBuilder b,
            Value bias,
            Value residual,
            boolean transposeA,
            boolean transposeB,
            double alpha,
            double beta,
            Optional<Unary> activation) {
        if (n.output(0).tensorType().dtype() != DataType.FLOAT32
                || ProgramBuilder.shape(n.input(0)).rank() < 2
                || ProgramBuilder.shape(n.input(1)).rank() < 2) {
            return false;
        }
        NativeStruct p = b.params(ProgramStep.MATMUL)
                .set("a", b.id(n.input(0)))
                .set("b", b.id(n.input(1)))
                .set("bias", b.id(bias))
                .set("dst", b.id(n.output(0)))
                .set("transpose_a", transposeA ? 1L : 0L)
                .set("transpose_b", transposeB ? 1L : 0L)
                .set("alpha", alpha)
                .set("beta", beta);
        if (!PostOps.write(p, residual.isAbsent() ? TenonConstants.NO_VALUE : b.id(residual), activation)) {
            return false;
        }
        b.add(ProgramStep.MATMUL, n, p);
        return true;
    }
}
