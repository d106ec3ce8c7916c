package dev.tenon.internal.pass;

import static dev.tenon.DataType.BFLOAT16;
import static dev.tenon.DataType.FLOAT16;
import static dev.tenon.DataType.FLOAT32;

import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Transpose;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromoteHalfTest {
    private static final Pass PASS = new PromoteHalf();
    private static final Unary RELU = Unary.of(UnaryFn.RELU);

    @Test
    void castsAtTheEdges() {
        PassCheck.rewrites(PASS, "float16", b -> {
            Value x = b.input("x", FLOAT16, "N", 4);
            Value y = b.node("product", new MatMul(), x, b.halves("w", 4, 3));
            y = b.node("turned", new Transpose(List.of(1L, 0L)), y);
            return b.graph(b.node("y", RELU, y));
        });
        PassCheck.rewrites(PASS, "bfloat16", b -> {
            Value x = b.input("x", BFLOAT16, "N", 4);
            return b.graph(b.node("y", new Binary(BinaryFn.ADD), x, b.input("z", BFLOAT16, 4)));
        });
    }

    @Test
    void leavesOutCastsOfTheModel() {
        PassCheck.rewrites(PASS, "model_casts", b -> {
            Value x = b.input("x", FLOAT16, "N", 4);
            Value y = b.node("relu", RELU, x);
            Value s = b.node("single", Cast.of(FLOAT32), y);
            return b.graph(b.node("e", Unary.of(UnaryFn.SIGMOID), s), y);
        });
    }

    @Test
    void keepsWhatOnlyMovesHalves() {
        PassCheck.keeps(PASS, b -> b.graph(b.node("y", new Transpose(List.of(1L, 0L)), b.input("x", FLOAT16, "N", 4))));
    }

    @Test
    void keepsHalvesIfExact() {
        PassCheck.keepsIfExact(PASS, b -> b.graph(b.node("y", RELU, b.input("x", FLOAT16, "N", 4))));
    }
}
