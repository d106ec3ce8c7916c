package dev.tenon.internal.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.Compare;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import dev.tenon.internal.op.Where;
import java.util.List;
import org.junit.jupiter.api.Test;

class FuseElementwiseTest {
    private static final Pass PASS = new FuseElementwise();
    private static final Binary ADD = new Binary(BinaryFn.ADD);
    private static final Binary MUL = new Binary(BinaryFn.MUL);
    private static final Unary RELU = Unary.of(UnaryFn.RELU);
    private static final Unary EXP = Unary.of(UnaryFn.EXP);

    @Test
    void joinsAChainWithBroadcastInputs() {
        PassCheck.rewrites(PASS, "scale_shift_relu", b -> {
            Value x = b.floats("x", 2, 4, 3);
            Value v = b.node("scaled", MUL, x, b.weights("s", 4, 1));
            v = b.node("shifted", ADD, v, b.weights("t", 3));
            return b.graph(b.node("y", RELU, v));
        });
    }

    @Test
    void joinsADiamond() {
        PassCheck.rewrites(PASS, "diamond", b -> {
            Value x = b.node("x2", EXP, b.floats("x", 2, 4));
            Value left = b.node("left", RELU, x);
            Value right = b.node("right", Unary.of(UnaryFn.SIGMOID), x);
            return b.graph(b.node("y", MUL, left, right));
        });
    }

    @Test
    void joinsComparisonsSelectionsAndCasts() {
        PassCheck.rewrites(PASS, "select", b -> {
            Value x = b.floats("x", 2, 4);
            Value n = b.input("n", DataType.INT64, 2, 4);
            Value f = b.node("f", Cast.of(DataType.FLOAT32), n);
            Value c = b.node("c", new Compare(CompareFn.GREATER), x, f);
            return b.graph(b.node("y", new Where(), c, x, b.scalar(-5)));
        });
    }

    @Test
    void takesInChainsMadeBefore() {
        PassCheck.rewrites(PASS, "chain_in_chain", b -> {
            Value x = b.floats("x", 2, 4);
            ElementwiseChain.Step mul = new ElementwiseChain.Step(BinaryFn.MUL, DataType.FLOAT32, List.of(1, 0), 0, 0);
            ElementwiseChain.Step exp = new ElementwiseChain.Step(UnaryFn.EXP, DataType.FLOAT32, List.of(2), 0, 0);
            Value z = b.node("z", RELU, x);
            Value c = b.node("c", new ElementwiseChain(2, List.of(mul, exp)), z, b.floats("w", 4));
            return b.graph(b.node("y", ADD, c, x));
        });
    }

    @Test
    void keepsResultsThatOthersRead() {
        PassCheck.keeps(PASS, b -> {
            Value v = b.node("v", EXP, b.floats("x", 2, 4));
            return b.graph(b.node("y", RELU, v), v);
        });
        PassCheck.keeps(PASS, b -> {
            Value v = b.node("v", EXP, b.floats("x", 2, 4));
            return b.graph(b.node("y", RELU, v), b.node("z", EXP, v));
        });
    }

    @Test
    void keepsResultsThatAreBroadcast() {
        PassCheck.keeps(PASS, b -> {
            Value v = b.node("v", EXP, b.floats("x", 4));
            return b.graph(b.node("y", ADD, v, b.floats("z", 3, 4)));
        });
    }

    @Test
    void keepsComputationsOfShapes() {
        PassCheck.keeps(PASS, b -> {
            Value v = b.node("v", ADD, b.input("x", DataType.INT64, 2), b.longs("one", 1));
            return b.graph(b.node("y", MUL, v, b.longs("two", 2)));
        });
    }

    @Test
    void staysWithinTheLimitsOfTheKernels() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Value v = b.floats("x", 2, 4);
            for (int i = 0; i < 40; i++) {
                v = b.node("a" + i, ADD, v, b.floats("in" + i, 2, 4));
                v = b.node("e" + i, RELU, b.node("m" + i, MUL, v, b.scalar(0.5)));
            }
            Graph before = b.graph(v);
            Graph after = PASS.run(before, new PassContext(memory, false));
            assertThat(after.nodes()).hasSizeBetween(3, 20).allSatisfy(n -> {
                assertThat(n.inputs()).hasSizeLessThanOrEqualTo(16);
                assertThat(((ElementwiseChain) n.op()).steps()).hasSizeLessThanOrEqualTo(64);
            });
            PassCheck.agree(before, after, memory);
        }
    }
}
