package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.Clip;
import dev.tenon.internal.op.Dropout;
import dev.tenon.internal.op.Identity;
import dev.tenon.internal.op.Reshape;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import dev.tenon.internal.op.Variadic;
import dev.tenon.internal.op.VariadicFn;
import dev.tenon.internal.op.Where;
import org.junit.jupiter.api.Test;

/** Passes that bring a graph to its usual form. */
class CanonicalizeTest {
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Binary MUL = new Binary(BinaryFn.MUL);
    private static final Binary DIV = new Binary(BinaryFn.DIV);
    private static final Binary POW = new Binary(BinaryFn.POW);
    private static final Unary RELU = Unary.of(UnaryFn.RELU);

    @Test
    void removesWhatChangesNothing() {
        PassCheck.rewrites(new RemoveNoOps(), "chain", b -> {
            Value x = b.floats("x", "N", 4);
            Value v = b.node("relu", RELU, x);
            v = b.node("identity", new Identity(), v);
            v = b.nodes("dropout", new Dropout(true), 1, v).getFirst();
            v = b.node("cast", Cast.of(DataType.FLOAT32), v);
            v = b.node("plus", ADD, v, b.scalar(0));
            v = b.node("times", MUL, b.scalar(1), v);
            v = b.node("by", DIV, v, b.scalar(1));
            v = b.node("where", new Where(), b.booleans("true", new boolean[] {true}, 1), v, b.scalar(-1e9));
            return b.graph(b.node("out", RELU, v));
        });
    }

    @Test
    void removesNoOpBeforeAnOutput() {
        PassCheck.rewrites(new RemoveNoOps(), "output", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Identity(), b.node("relu", RELU, x)));
        });
    }

    @Test
    void reshapesOnce() {
        PassCheck.rewrites(new RemoveNoOps(), "reshapes", b -> {
            Value x = b.floats("x", 2, 3, 4);
            Value v = b.node("first", new Reshape(false), x, b.longs("a", 6, 4));
            return b.graph(b.node("y", new Reshape(false), v, b.longs("b", 4, -1)));
        });
    }

    @Test
    void keepsReshapeThatCopiesADimension() {
        PassCheck.keeps(new RemoveNoOps(), b -> {
            Value x = b.floats("x", 2, 3, 4);
            Value v = b.node("first", new Reshape(false), x, b.longs("a", 6, 4));
            return b.graph(b.node("y", new Reshape(false), v, b.longs("b", 0, 2, 2)));
        });
    }

    @Test
    void keepsAdditionThatBroadcasts() {
        PassCheck.keeps(new RemoveNoOps(), b -> {
            Value x = b.floats("x", 4);
            return b.graph(b.node("y", ADD, x, b.filled("zeros", 0, 3, 4)));
        });
    }

    @Test
    void keepsIdentityThatGivesOneValueTwoNames() {
        PassCheck.keeps(new RemoveNoOps(), b -> {
            Value v = b.node("relu", RELU, b.floats("x", "N", 4));
            return b.graph(v, b.node("y", new Identity(), v));
        });
    }

    @Test
    void keepsIdentityFromInputToOutput() {
        PassCheck.keeps(new RemoveNoOps(), b -> b.graph(b.node("y", new Identity(), b.floats("x", "N"))));
    }

    @Test
    void keepsWhereWithMixedCondition() {
        PassCheck.keeps(new RemoveNoOps(), b -> {
            Value c = b.booleans("c", new boolean[] {true, false}, 2);
            return b.graph(b.node("y", new Where(), c, b.floats("x", 3, 2), b.scalar(0)));
        });
    }

    @Test
    void makesClipAFunction() {
        PassCheck.rewrites(new LowerClip(), "relu6", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Clip(), x, b.scalar(0), b.scalar(6)));
        });
        PassCheck.rewrites(new LowerClip(), "one_bound", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Clip(), x, Value.ABSENT, b.scalar(0.5)));
        });
        PassCheck.rewrites(new LowerClip(), "computed_bounds", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Clip(), x, b.floats("low"), b.scalar(6)));
        });
    }

    @Test
    void keepsClipWithBoundsThatAreNoScalars() {
        PassCheck.keeps(new LowerClip(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Clip(), x, b.floats("low", 1), b.scalar(6)));
        });
    }

    @Test
    void makesSumsOfTwo() {
        PassCheck.rewrites(new LowerVariadic(), "sum", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Variadic(VariadicFn.SUM), x, b.floats("z", 4), b.floats("w", "N", 1)));
        });
        PassCheck.rewrites(new LowerVariadic(), "max", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Variadic(VariadicFn.MAX), x, x, b.floats("w", 1)));
        });
    }

    @Test
    void keepsMean() {
        PassCheck.keeps(new LowerVariadic(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", new Variadic(VariadicFn.MEAN), x, x));
        });
    }

    @Test
    void simplifiesPowersAndQuotients() {
        PassCheck.rewrites(new SimplifyArithmetic(), "square", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", POW, x, b.scalar(2)));
        });
        PassCheck.rewrites(new SimplifyArithmetic(), "quotient", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", DIV, x, b.positive("c", 4)));
        });
    }

    @Test
    void keepsQuotientsThatRoundDifferently() {
        PassCheck.keepsIfExact(new SimplifyArithmetic(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", DIV, x, b.scalar(3)));
        });
        PassCheck.keeps(new SimplifyArithmetic(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", DIV, x, b.scalar(0)));
        });
    }

    @Test
    void keepsPowersThatBroadcast() {
        PassCheck.keeps(new SimplifyArithmetic(), b -> {
            Value x = b.floats("x", 4);
            return b.graph(b.node("y", POW, x, b.filled("c", 2, 1, 1)));
        });
    }

    @Test
    void joinsGates() {
        PassCheck.rewrites(new FuseSwish(), "swish", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", MUL, x, b.node("gate", Unary.of(UnaryFn.SIGMOID), x)));
        });
        PassCheck.rewrites(new FuseSwish(), "hard_swish", b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", MUL, b.node("gate", Unary.of(UnaryFn.HARD_SIGMOID), x), x));
        });
        PassCheck.rewrites(new FuseSwish(), "mish", b -> {
            Value x = b.floats("x", "N", 4);
            Value s = b.node("softplus", Unary.of(UnaryFn.SOFTPLUS), x);
            return b.graph(b.node("y", MUL, x, b.node("gate", Unary.of(UnaryFn.TANH), s)));
        });
    }

    @Test
    void keepsGatesOfOtherValuesOrWithOtherReaders() {
        PassCheck.keeps(new FuseSwish(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("y", MUL, x, b.node("gate", Unary.of(UnaryFn.SIGMOID), b.floats("z", "N", 4))));
        });
        PassCheck.keeps(new FuseSwish(), b -> {
            Value x = b.floats("x", "N", 4);
            Value gate = b.node("gate", Unary.of(UnaryFn.SIGMOID), x);
            return b.graph(b.node("y", MUL, x, gate), gate);
        });
    }
}
