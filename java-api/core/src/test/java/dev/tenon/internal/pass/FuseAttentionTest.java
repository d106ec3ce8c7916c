package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Attention;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.HeadLayout;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Softmax;
import dev.tenon.internal.op.SoftmaxKind;
import dev.tenon.internal.op.Transpose;
import dev.tenon.internal.op.Where;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class FuseAttentionTest {
    private static final Pass PASS = new FuseAttention();
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Binary MUL = new Binary(BinaryFn.MUL);
    private static final Binary DIV = new Binary(BinaryFn.DIV);
    private static final Softmax SOFTMAX = new Softmax(SoftmaxKind.SOFTMAX, -1, false);
    private static final Transpose SWAP = new Transpose(List.of(0L, 2L, 1L, 3L));

    @Test
    void takesInTransposesOfHeads() {
        PassCheck.rewrites(PASS, "bert", b -> {
            Value q = b.node("q", SWAP, b.floats("x", "N", "T", 2, 3));
            Value k = b.node("k", new Transpose(List.of(0L, 2L, 3L, 1L)), b.floats("y", "N", "T", 2, 3));
            Value v = b.node("v", SWAP, b.floats("z", "N", "T", 2, 3));
            Value s = b.node("scaled", DIV, b.node("scores", new MatMul(), q, k), b.scalar(2));
            s = b.node("masked", ADD, s, b.floats("mask", "N", 1, 1, "T"));
            Value o = b.node("o", new MatMul(), b.node("p", SOFTMAX, s), v);
            return b.graph(b.node("result", SWAP, o));
        });
    }

    @Test
    void findsScalesOnQueriesAndKeys() {
        PassCheck.rewrites(PASS, "scaled_operands", b -> {
            Value q = b.node("q", MUL, b.node("qt", SWAP, b.floats("x", "N", "T", 2, 4)), b.scalar(0.5));
            Value kt = b.node("kt", new Transpose(List.of(0L, 1L, 3L, 2L)), b.floats("y", "N", 2, "S", 4));
            Value k = b.node("k", MUL, b.scalar(0.5), kt);
            Value p = b.node("p", SOFTMAX, b.node("scores", new MatMul(), q, k));
            return b.graph(b.node("o", new MatMul(), p, b.floats("v", "N", 2, "S", 3)));
        });
    }

    @Test
    void makesConditionsMasks() {
        PassCheck.rewrites(PASS, "condition", b -> {
            Value c = b.input("hide", DataType.BOOL, "T", "S");
            return plain(b, s -> b.node("masked", new Where(), c, b.scalar(-1e9), s));
        });
        PassCheck.rewrites(PASS, "constant_condition", b -> {
            Value c = see(b);
            Value s = b.node("s", new MatMul(), b.floats("q", "N", 2, "T", 4), b.floats("k", "N", 2, 4, 6));
            Value p = b.node("p", SOFTMAX, b.node("masked", new Where(), c, s, b.scalar(-1e9)));
            return b.graph(b.node("o", new MatMul(), p, b.floats("v", "N", 2, 6, 3)));
        });
    }

    @Test
    void addsSeveralMasks() {
        PassCheck.rewrites(PASS, "two_masks", b -> {
            Value s = b.node("s", new MatMul(), b.floats("q", "N", 2, "T", 4), b.floats("k", "N", 2, 4, 6));
            s = b.node("padded", ADD, b.node("half", MUL, s, b.scalar(0.5)), b.floats("m", "N", 1, 1, 6));
            s = b.node("masked", new Where(), see(b), s, b.scalar(-1e9));
            return b.graph(b.node("o", new MatMul(), b.node("p", SOFTMAX, s), b.floats("v", "N", 2, 6, 3)));
        });
    }

    private static Value see(GraphBuilder b) {
        return b.booleans("see", new boolean[] {true, false, true, true, false, true}, 1, 6);
    }

    @Test
    void keepsWhatIsNoAttention() {
        // A mask that is scaled too.
        keeps(b -> plain(b, s -> b.node("x2", MUL, b.node("padded", ADD, s, b.floats("m", "T", "S")), b.scalar(2))));
        // A factor that is computed.
        keeps(b -> plain(b, s -> b.node("x2", MUL, s, b.floats("m", 1))));
        // A mask that makes the scores larger.
        keeps(b -> {
            Value s = b.node("s", new MatMul(), b.floats("q", 1, 2, 1, 4), b.floats("k", 1, 2, 4, 6));
            Value masked = b.node("masked", ADD, s, b.floats("m", 5, 6));
            return b.graph(b.node("o", new MatMul(), b.node("p", SOFTMAX, masked), b.floats("v", 1, 2, 6, 3)));
        });
        // A number that does not hide.
        keeps(b ->
                plain(b, s -> b.node("masked", new Where(), b.input("c", DataType.BOOL, "T", "S"), b.scalar(-1), s)));
        // Softmax over another axis.
        keeps(b -> attention(b, new Softmax(SoftmaxKind.SOFTMAX, 1, false), s -> s));
        // Heads that are broadcast.
        keeps(b -> {
            Value s = b.node("s", new MatMul(), b.floats("q", 2, 3, 5, 4), b.floats("k", 1, 3, 4, 6));
            return b.graph(b.node("o", new MatMul(), b.node("p", SOFTMAX, s), b.floats("v", 2, 3, 6, 3)));
        });
        // Scores that others read.
        keeps(b -> {
            Value s = b.node("s", new MatMul(), b.floats("q", "N", 2, "T", 4), b.floats("k", "N", 2, 4, "S"));
            Value o = b.node("o", new MatMul(), b.node("p", SOFTMAX, s), b.floats("v", "N", 2, "S", 3));
            return b.graph(o, s);
        });
    }

    @Test
    void keepsConditionsIfExact() {
        PassCheck.keepsIfExact(PASS, b -> {
            Value c = b.input("hide", DataType.BOOL, "T", "S");
            return plain(b, s -> b.node("masked", new Where(), c, b.scalar(-1e9), s));
        });
    }

    @Test
    void dropsMasksOfZeros() {
        PassCheck.rewrites(new SimplifyAttentionMask(), "zeros", b -> fused(b, 1, b.filled("mask", 0, 1, 1, 1, 6)));
    }

    @Test
    void seesCausalMasks() {
        PassCheck.rewrites(new SimplifyAttentionMask(), "causal", b -> {
            Value m = b.filled("mask", 0, 2, 6);
            b.constant(m).setDouble(5, -1e9);
            return fused(b, 2, m);
        });
        keeps(new SimplifyAttentionMask(), b -> {
            Value m = b.filled("mask", 0, 2, 6);
            b.constant(m).setDouble(4, -1e9);
            return fused(b, 2, m);
        });
    }

    @Test
    void lowersTheOperator() {
        PassCheck.rewrites(new LowerAttention(), "heads_first", b -> {
            Value q = b.floats("q", "N", 4, "T", 3);
            Value k = b.floats("k", "N", 2, "S", 3);
            return b.graph(
                    b.nodes("y", operator(false), 1, q, k, b.floats("v", "N", 2, "S", 5), b.floats("m", "T", "S"))
                            .getFirst());
        });
        PassCheck.rewrites(new LowerAttention(), "packed_causal", b -> {
            Value q = b.floats("q", "N", "T", 12);
            Value k = b.floats("k", "N", "T", 6);
            return b.graph(b.nodes("y", operator(true), 1, q, k, b.floats("v", "N", "T", 10))
                    .getFirst());
        });
    }

    @Test
    void keepsOtherFormsOfTheOperator() {
        // A mask that covers some keys only.
        keeps(new LowerAttention(), b -> {
            Value q = b.floats("q", "N", 4, "T", 3);
            Value k = b.floats("k", "N", 2, 6, 3);
            return b.graph(b.nodes("y", operator(false), 1, q, k, b.floats("v", "N", 2, 6, 5), b.floats("m", "T", 4))
                    .getFirst());
        });
        // Keys that are wanted too.
        keeps(new LowerAttention(), b -> {
            Value q = b.floats("q", "N", 4, "T", 3);
            Value k = b.floats("k", "N", 2, "S", 3);
            return b.graph(b.nodes("y", operator(false), 2, q, k, b.floats("v", "N", 2, "S", 5))
                    .toArray(Value[]::new));
        });
    }

    private static Attention operator(boolean causal) {
        return new Attention(causal, 4, 2, Float.NaN, 0, 0, -1, -1);
    }

    private static void keeps(Function<GraphBuilder, Graph> graph) {
        PassCheck.keeps(PASS, graph);
    }

    private static void keeps(Pass pass, Function<GraphBuilder, Graph> graph) {
        PassCheck.keeps(pass, graph);
    }

    private static Graph plain(GraphBuilder b, UnaryOperator<Value> scores) {
        return attention(b, SOFTMAX, scores);
    }

    private static Graph attention(GraphBuilder b, Softmax softmax, UnaryOperator<Value> scores) {
        Value s = b.node("scores", new MatMul(), b.floats("q", "N", 2, "T", 4), b.floats("k", "N", 2, 4, "S"));
        Value p = b.node("p", softmax, scores.apply(s));
        return b.graph(b.node("o", new MatMul(), p, b.floats("v", "N", 2, "S", 3)));
    }

    private static Graph fused(GraphBuilder b, int queries, Value mask) {
        HeadLayout h = HeadLayout.HEADS_FIRST;
        return b.graph(b.node(
                "y",
                new FusedAttention(0.5f, false, h, h, h, h),
                b.floats("q", 2, 3, queries, 4),
                b.floats("k", 2, 3, 6, 4),
                b.floats("v", 2, 3, 6, 5),
                mask));
    }
}
