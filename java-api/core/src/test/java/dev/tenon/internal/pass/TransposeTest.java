package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Transpose;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What becomes of transposes. */
class TransposeTest {
    @Test
    void joinsTransposes() {
        PassCheck.rewrites(new SimplifyTranspose(), "two", b -> {
            Value y = b.node("first", transpose(1, 2, 0), b.floats("x", "N", 3, 4));
            return b.graph(b.node("y", transpose(0, 2, 1), y));
        });
        PassCheck.rewrites(new SimplifyTranspose(), "reversed", b -> {
            Value y = b.node("first", new Transpose(List.of()), b.floats("x", "N", 3, 4));
            return b.graph(b.node("y", transpose(0, 2, 1), y), y);
        });
    }

    @Test
    void removesTransposesOfNothing() {
        PassCheck.rewrites(new RemoveNoOps(), "transpose", b -> {
            Value y = b.node("first", transpose(0, 1, 2), b.floats("x", "N", 3, 4));
            return b.graph(b.node("y", transpose(0, 2, 1), y));
        });
        PassCheck.keeps(new RemoveNoOps(), b -> b.graph(b.node("y", transpose(1, 0), b.floats("x", 4, 4))));
    }

    @Test
    void makesTransposesThatMoveNothingReshapes() {
        PassCheck.rewrites(
                new LowerTranspose(),
                "ones",
                b -> b.graph(b.node("y", transpose(0, 2, 1, 3), b.floats("x", 2, 1, 3, 4))));
        PassCheck.keeps(new LowerTranspose(), b -> b.graph(b.node("y", transpose(1, 0), b.floats("x", 3, 4))));
    }

    @Test
    void readsOperandsOfProductsTransposed() {
        PassCheck.rewrites(new FuseMatMulTranspose(), "right", b -> {
            Value t = b.node("t", transpose(0, 2, 1), b.floats("w", 2, 3, 4));
            return b.graph(b.node("y", new MatMul(), b.floats("x", "T", 4), t));
        });
        PassCheck.rewrites(new FuseMatMulTranspose(), "left_of_fused", b -> {
            Value t = b.node("t", transpose(1, 0), b.floats("x", "N", 4));
            FusedMatMul op = new FusedMatMul(true, false, 2, false, Optional.empty());
            return b.graph(b.node("y", op, t, b.weights("w", 4, 3), b.weights("bias", 3)));
        });
    }

    @Test
    void keepsOtherTransposesOfOperands() {
        PassCheck.keeps(new FuseMatMulTranspose(), b -> {
            Value t = b.node("t", transpose(1, 0, 2), b.floats("w", 2, 3, 4));
            return b.graph(b.node("y", new MatMul(), b.floats("x", "T", 2), t));
        });
        PassCheck.keeps(new FuseMatMulTranspose(), b -> {
            Value t = b.node("t", transpose(1, 0), b.floats("w", 3, 4));
            return b.graph(b.node("y", new MatMul(), b.floats("x", 4), t));
        });
    }

    private static Transpose transpose(long... perm) {
        return new Transpose(Arrays.stream(perm).boxed().toList());
    }
}
