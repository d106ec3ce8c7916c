package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BatchNorm;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Conv;
import dev.tenon.internal.op.LayerNorm;
import dev.tenon.internal.op.Reduce;
import dev.tenon.internal.op.ReduceFn;
import dev.tenon.internal.op.RmsNorm;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import dev.tenon.internal.op.Window;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Passes on normalisations, means, and what convolutions are scaled by. */
class NormalizationTest {
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Binary SUB = new Binary(BinaryFn.SUB);
    private static final Binary MUL = new Binary(BinaryFn.MUL);
    private static final Binary DIV = new Binary(BinaryFn.DIV);
    private static final Binary POW = new Binary(BinaryFn.POW);
    private static final Reduce MEAN = new Reduce(ReduceFn.MEAN, true, false);
    private static final Conv CONV = new Conv(Window.of(List.of(3L, 3L)), 1);

    @Test
    void foldsBatchNorm() {
        PassCheck.rewrites(new FoldBatchNorm(), "image", b -> {
            Value x = b.floats("x", "N", 3, 4, 4);
            return b.graph(batchNorm(b, x, false));
        });
        PassCheck.rewrites(new FoldBatchNorm(), "vector", b -> b.graph(batchNorm(b, b.floats("x", "N", 3), false)));
    }

    @Test
    void keepsBatchNormInTraining() {
        PassCheck.keeps(new FoldBatchNorm(), b -> b.graph(batchNorm(b, b.floats("x", "N", 3, 4, 4), true)));
    }

    @Test
    void keepsBatchNormWithComputedStatistics() {
        PassCheck.keeps(new FoldBatchNorm(), b -> {
            Value mean = b.floats("mean", 3);
            return b.graph(b.node(
                    "y",
                    new BatchNorm(1e-5f, 0.9f, false),
                    b.floats("x", "N", 3, 4),
                    b.positive("scale", 3),
                    b.weights("bias", 3),
                    mean,
                    b.positive("variance", 3)));
        });
    }

    @Test
    void scalesWeights() {
        PassCheck.rewrites(new FoldChannelScale(), "scale_and_shift", b -> {
            Value x = b.floats("x", "N", 2, 5, 5);
            Value y = b.node("conv", CONV, x, b.weights("w", 3, 2, 3, 3), b.weights("b", 3));
            y = b.node("scaled", MUL, y, b.positive("s", 1, 3, 1, 1));
            return b.graph(b.node("y", ADD, b.weights("t", 3, 1, 1), y));
        });
        PassCheck.rewrites(new FoldChannelScale(), "number_no_bias", b -> {
            Value y = b.node("conv", CONV, b.floats("x", "N", 2, 5, 5), b.weights("w", 3, 2, 3, 3));
            return b.graph(b.node("y", MUL, y, b.scalar(0.25)));
        });
    }

    @Test
    void keepsScalesThatAreNotForChannels() {
        // Along the width.
        PassCheck.keeps(new FoldChannelScale(), b -> {
            Value y = b.node("conv", CONV, b.floats("x", "N", 2, 5, 5), b.weights("w", 3, 2, 3, 3));
            return b.graph(b.node("y", MUL, y, b.positive("s", 3)));
        });
        // That broadcast the result.
        PassCheck.keeps(new FoldChannelScale(), b -> {
            Value y = b.node("conv", CONV, b.floats("x", "N", 2, 5, 5), b.weights("w", 1, 2, 3, 3));
            return b.graph(b.node("y", MUL, y, b.positive("s", 3, 1, 1)));
        });
        // With another reader.
        PassCheck.keeps(new FoldChannelScale(), b -> {
            Value y = b.node("conv", CONV, b.floats("x", "N", 2, 5, 5), b.weights("w", 3, 2, 3, 3));
            return b.graph(b.node("y", MUL, y, b.positive("s", 3, 1, 1)), y);
        });
        PassCheck.keepsIfExact(new FoldChannelScale(), b -> {
            Value y = b.node("conv", CONV, b.floats("x", "N", 2, 5, 5), b.weights("w", 3, 2, 3, 3));
            return b.graph(b.node("y", MUL, y, b.positive("s", 3, 1, 1)));
        });
    }

    @Test
    void findsLayerNorm() {
        PassCheck.rewrites(new FuseLayerNorm(), "pow", b -> {
            Value d = centered(b, b.floats("x", "N", "T", 4), -1);
            Value square = b.node("square", POW, d, b.scalar(2));
            return b.graph(normalized(b, d, square, -1));
        });
        PassCheck.rewrites(new FuseLayerNorm(), "mul", b -> {
            Value d = centered(b, b.floats("x", "N", "T", 4), 2);
            return b.graph(normalized(b, d, b.node("square", MUL, d, d), 2));
        });
    }

    @Test
    void keepsWhatIsNoLayerNorm() {
        // Over another axis.
        PassCheck.keeps(new FuseLayerNorm(), b -> {
            Value d = centered(b, b.floats("x", "N", "T", 4), 1);
            return b.graph(normalized(b, d, b.node("square", MUL, d, d), 1));
        });
        // The variance of something else.
        PassCheck.keeps(new FuseLayerNorm(), b -> {
            Value x = b.floats("x", "N", "T", 4);
            return b.graph(normalized(b, centered(b, x, -1), b.node("square", MUL, x, x), -1));
        });
    }

    @Test
    void findsRmsNorm() {
        PassCheck.rewrites(new FuseRmsNorm(), "quotient", b -> {
            Value x = b.floats("x", "N", "T", 4);
            return b.graph(normalized(b, x, b.node("square", POW, x, b.scalar(2)), -1));
        });
        PassCheck.rewrites(new FuseRmsNorm(), "reciprocal", b -> {
            Value x = b.floats("x", "N", "T", 4);
            Value mean = b.node("mean", MEAN, b.node("square", MUL, x, x), b.longs("axes", -1));
            Value root = b.node("root", Unary.of(UnaryFn.SQRT), b.node("plus", ADD, mean, b.scalar(1e-5)));
            return b.graph(b.node("y", MUL, b.node("r", Unary.of(UnaryFn.RECIPROCAL), root), x));
        });
        PassCheck.rewrites(new FuseLayerNormScale(), "rms", b -> {
            Value y = b.node("norm", new RmsNorm(-1, 1e-5f), b.floats("x", "N", 4), b.filled("ones", 1, 4));
            return b.graph(b.node("y", MUL, b.positive("s", 4), y));
        });
    }

    @Test
    void keepsWhatIsNoRmsNorm() {
        PassCheck.keeps(new FuseRmsNorm(), b -> {
            Value x = b.floats("x", "N", "T", 4);
            return b.graph(normalized(b, b.floats("z", "N", "T", 4), b.node("square", MUL, x, x), -1));
        });
    }

    @Test
    void givesLayerNormScaleAndBias() {
        PassCheck.rewrites(new FuseLayerNormScale(), "both", b -> {
            Value y = b.node("norm", new LayerNorm(-1, 1e-5f), b.floats("x", "N", 4), b.filled("ones", 1, 4));
            y = b.node("scaled", MUL, b.positive("s", 4), y);
            return b.graph(b.node("y", ADD, y, b.weights("t", 4)));
        });
    }

    @Test
    void keepsFactorsAfterAScale() {
        PassCheck.keeps(new FuseLayerNormScale(), b -> {
            Value y = b.node("norm", new LayerNorm(-1, 1e-5f), b.floats("x", "N", 4), b.positive("scale", 4));
            return b.graph(b.node("y", MUL, y, b.positive("s", 4)));
        });
        PassCheck.keeps(new FuseLayerNormScale(), b -> {
            Value y = b.node("norm", new LayerNorm(-1, 1e-5f), b.floats("x", "N", 4), b.filled("ones", 1, 4));
            return b.graph(b.node("y", MUL, y, b.positive("s", 1)));
        });
    }

    @Test
    void addsBeforeLayerNorm() {
        PassCheck.rewrites(new FuseAddLayerNorm(), "sum_read_again", b -> {
            Value s = b.node("sum", ADD, b.floats("x", "N", 4), b.floats("r", "N", 4));
            Value y = b.node("norm", new LayerNorm(-1, 1e-5f), s, b.positive("scale", 4), b.weights("bias", 4));
            return b.graph(b.node("next", ADD, s, y));
        });
        PassCheck.rewrites(new FuseAddLayerNorm(), "sum_is_output", b -> {
            Value s = b.node("sum", ADD, b.floats("x", "N", 4), b.floats("r", "N", 4));
            return b.graph(b.node("norm", new LayerNorm(-1, 1e-5f), s, b.positive("scale", 4)), s);
        });
        PassCheck.rewrites(new FuseAddLayerNorm(), "sum_alone", b -> {
            Value s = b.node("sum", ADD, b.floats("x", "N", 4), b.floats("r", "N", 4));
            return b.graph(b.node("norm", new LayerNorm(-1, 1e-5f), s, b.positive("scale", 4)));
        });
    }

    @Test
    void keepsSumsThatBroadcast() {
        PassCheck.keeps(new FuseAddLayerNorm(), b -> {
            Value s = b.node("sum", ADD, b.floats("x", "N", 4), b.floats("r", 4));
            return b.graph(b.node("norm", new LayerNorm(-1, 1e-5f), s, b.positive("scale", 4)));
        });
    }

    @Test
    void makesMeansPools() {
        PassCheck.rewrites(new LowerMean(), "pool", b -> {
            Value x = b.floats("x", "N", 3, 4, 5);
            return b.graph(b.node("y", MEAN, x, b.longs("axes", -1, -2)));
        });
        PassCheck.keeps(new LowerMean(), b -> {
            Value x = b.floats("x", "N", 3, 4, 5);
            return b.graph(b.node("y", MEAN, x, b.longs("axes", 1, 2)));
        });
        PassCheck.keeps(new LowerMean(), b -> {
            Value x = b.floats("x", "N", 3, 4, 5);
            return b.graph(b.node("y", new Reduce(ReduceFn.MEAN, false, false), x, b.longs("axes", 2, 3)));
        });
    }

    private static Value batchNorm(GraphBuilder b, Value x, boolean training) {
        return b.nodes(
                        "y",
                        new BatchNorm(1e-5f, 0.9f, training),
                        1,
                        x,
                        b.positive("scale", 3),
                        b.weights("bias", 3),
                        b.weights("mean", 3),
                        b.positive("variance", 3))
                .getFirst();
    }

    private static Value centered(GraphBuilder b, Value x, long axis) {
        return b.node("d", SUB, x, b.node("mean", MEAN, x, b.longs("axes", axis)));
    }

    private static Value normalized(GraphBuilder b, Value d, Value square, long axis) {
        Value variance = b.node("variance", MEAN, square, b.longs("axes2", axis));
        Value root = b.node("root", Unary.of(UnaryFn.SQRT), b.node("plus", ADD, variance, b.scalar(1e-5)));
        return b.node("y", DIV, d, root);
    }
}
