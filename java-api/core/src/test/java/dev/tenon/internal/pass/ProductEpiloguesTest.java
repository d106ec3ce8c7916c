package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Conv;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.Gemm;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import dev.tenon.internal.op.Window;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What matrix products and convolutions take in. */
class ProductEpiloguesTest {
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Unary RELU = Unary.of(UnaryFn.RELU);
    private static final Conv CONV = new Conv(Window.of(List.of(3L, 3L)), 1);
    private static final FusedMatMul FUSED = new FusedMatMul(false, false, 1, false, Optional.empty());

    @Test
    void lowersGemm() {
        PassCheck.rewrites(new LowerGemm(), "plain", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Gemm(false, true, 1, 1), x, b.weights("w", 3, 4), b.weights("c", 3)));
        });
        PassCheck.rewrites(new LowerGemm(), "beta", b -> {
            Value x = b.floats("x", 4, "N");
            return b.graph(b.node("y", new Gemm(true, false, 2, 0.5f), x, b.weights("w", 4, 3), b.weights("c", 1, 3)));
        });
        PassCheck.rewrites(new LowerGemm(), "no_bias", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Gemm(false, false, 1, 0.5f), x, b.weights("w", 4, 3)));
        });
    }

    @Test
    void keepsGemmWhoseBetaScalesAnInput() {
        PassCheck.keeps(new LowerGemm(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Gemm(false, false, 1, 0.5f), x, b.weights("w", 4, 3), b.floats("c", 3)));
        });
    }

    @Test
    void takesInABias() {
        PassCheck.rewrites(new FuseMatMulBias(), "row", b -> {
            Value x = b.floats("x", "N", "T", 4);
            Value p = b.node("product", new MatMul(), x, b.weights("w", 4, 3));
            return b.graph(b.node("y", ADD, b.weights("bias", 3), p));
        });
    }

    @Test
    void keepsSumsThatAreNoBias() {
        // Of another length than the rows.
        PassCheck.keeps(new FuseMatMulBias(), b -> {
            Value p = b.node("product", new MatMul(), b.floats("x", "N", 4), b.weights("w", 4, 1));
            return b.graph(b.node("y", ADD, p, b.weights("bias", 3)));
        });
        // Of a product that somebody else reads.
        PassCheck.keeps(new FuseMatMulBias(), b -> {
            Value p = b.node("product", new MatMul(), b.floats("x", "N", 4), b.weights("w", 4, 3));
            return b.graph(b.node("y", ADD, p, b.weights("bias", 3)), p);
        });
        // Of a product of vectors.
        PassCheck.keeps(new FuseMatMulBias(), b -> {
            Value p = b.node("product", new MatMul(), b.floats("x", 4), b.weights("w", 4, 3));
            return b.graph(b.node("y", ADD, p, b.weights("bias", 3)));
        });
        // Computed.
        PassCheck.keeps(new FuseMatMulBias(), b -> {
            Value p = b.node("product", new MatMul(), b.floats("x", "N", 4), b.weights("w", 4, 3));
            return b.graph(b.node("y", ADD, p, b.floats("bias", 3)));
        });
    }

    @Test
    void takesInResidualAndActivation() {
        PassCheck.rewrites(new FuseProductEpilogues(), "matmul", b -> {
            Value x = b.floats("x", "N", "T", 4);
            Value p = b.node("product", FUSED, x, b.weights("w", 4, 4), b.weights("bias", 4));
            Value s = b.node("sum", ADD, x, p);
            return b.graph(b.node("y", Unary.of(UnaryFn.GELU_ERF), s));
        });
        PassCheck.rewrites(new FuseProductEpilogues(), "conv", b -> {
            Value x = b.floats("x", "N", 3, 6, 6);
            Value p = b.node("conv", CONV, x, b.weights("w", 5, 3, 3, 3), b.weights("bias", 5));
            Value s = b.node("sum", ADD, p, b.floats("residual", "N", 5, 4, 4));
            return b.graph(b.node("y", RELU, s));
        });
        PassCheck.rewrites(new FuseProductEpilogues(), "activation", b -> {
            Value x = b.floats("x", "N", 4);
            Value p = b.node("product", new MatMul(), x, b.weights("w", 4, 3));
            return b.graph(b.node("y", new Unary(UnaryFn.CLIP, 0, 6), p));
        });
    }

    @Test
    void addsTwoProducts() {
        PassCheck.rewrites(new FuseProductEpilogues(), "two_products", b -> {
            Value x = b.floats("x", "N", 4);
            Value p = b.node("p", new MatMul(), x, b.weights("w", 4, 3));
            Value q = b.node("q", new MatMul(), x, b.weights("u", 4, 3));
            return b.graph(b.node("y", ADD, p, q));
        });
    }

    @Test
    void keepsWhatDoesNotFit() {
        // A residual after an activation.
        PassCheck.keeps(new FuseProductEpilogues(), b -> {
            Value x = b.floats("x", "N", 4);
            Value p = b.node(
                    "p",
                    new FusedMatMul(false, false, 1, false, Optional.of(RELU)),
                    x,
                    b.weights("w", 4, 4),
                    Value.ABSENT);
            return b.graph(b.node("y", ADD, p, x));
        });
        // A residual that broadcasts.
        PassCheck.keeps(new FuseProductEpilogues(), b -> {
            Value p = b.node("p", new MatMul(), b.floats("x", 3, 4), b.weights("w", 4, 4));
            return b.graph(b.node("y", ADD, p, b.floats("r", 1, 4)));
        });
        // The product twice.
        PassCheck.keeps(new FuseProductEpilogues(), b -> {
            Value p = b.node("p", new MatMul(), b.floats("x", 3, 4), b.weights("w", 4, 4));
            return b.graph(b.node("y", ADD, p, p));
        });
        // A product that is an output.
        PassCheck.keeps(new FuseProductEpilogues(), b -> {
            Value p = b.node("p", new MatMul(), b.floats("x", 3, 4), b.weights("w", 4, 4));
            return b.graph(b.node("y", RELU, p), p);
        });
        // A function that products have no epilogue for.
        PassCheck.keeps(new FuseProductEpilogues(), b -> {
            Value p = b.node("p", new MatMul(), b.floats("x", 3, 4), b.weights("w", 4, 4));
            return b.graph(b.node("y", Unary.of(UnaryFn.EXP), p));
        });
    }
}
