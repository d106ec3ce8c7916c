package dev.tenon.internal.pass;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.If;
import dev.tenon.internal.op.SequenceAt;
import dev.tenon.internal.op.SequenceConstruct;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FoldConstantsTest {
    private static final Binary ADD = new Binary(BinaryFn.ADD);

    @Test
    void computesEqualConstantsOnce() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Value x = b.floats("x", "N", 4);
            Value y = x;
            for (int i = 0; i < 3; i++) {
                y = b.node("y" + i, ADD, y, b.node("c" + i, ADD, b.scalar(1), b.scalar(2)));
            }
            Graph before = b.graph(y);
            Graph after = new FoldConstants(memory).run(before, new PassContext(memory, false));
            assertThat(after.nodes()).hasSize(3);
            assertThat(after.constants()).hasSize(1);
            PassCheck.agree(before, after, memory);
        }
    }

    @Test
    void keepsOutputsApartThatAreEqual() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Value first = b.node("first", ADD, b.scalar(1), b.scalar(2));
            Value second = b.node("second", ADD, b.scalar(1), b.scalar(2));
            Graph before = b.graph(first, second);
            Graph after = new FoldConstants(memory).run(before, new PassContext(memory, false));
            assertThat(after.nodes()).isEmpty();
            assertThat(after.outputs()).extracting(Value::name).containsExactly("first", "second");
            PassCheck.agree(before, after, memory);
        }
    }

    @Test
    void leavesGraphsWithNothingToFoldAsTheyAre() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Graph g = b.graph(b.node("y", Unary.of(UnaryFn.RELU), b.floats("x", 2, 4)));
            assertThat(new FoldConstants(memory).run(g, new PassContext(memory, false)))
                    .isSameAs(g);
        }
    }

    @Test
    void takesTheBranchOfAConstantCondition() {
        for (boolean condition : new boolean[] {true, false}) {
            try (MemoryScope memory = MemoryScope.confined("test")) {
                GraphBuilder b = new GraphBuilder(memory);
                Value x = b.floats("x", "N", 4);
                Value w = b.weights("w", 4);
                Value c = b.booleans("c", new boolean[] {condition});
                If inner = new If(branch(memory, 3), branch(memory, 4));
                Value first = b.node("first", inner, c, x, w);
                Value second = b.node("second", inner, c, first, w);
                Value passed = b.node("passed", new If(identity(memory), identity(memory)), c, x);
                Graph before = b.graph(b.node("sum", ADD, first, x), second, passed);
                Graph after = new FoldConstants(memory).run(before, new PassContext(memory, false));
                Verifier.verify(after, "inlined");
                assertThat(after.nodes()).noneMatch(n -> n.op() instanceof If);
                assertThat(after.outputs()).extracting(Value::name).containsExactly("sum", "second", "passed");
                assertThat(after.outputs())
                        .allMatch(v ->
                                v.tensorType().shape().equals(x.tensorType().shape()));
                PassCheck.agree(before, after, memory);
            }
        }
    }

    /** What a branch gives may be captured, a constant, one value twice, or no tensor; ifs may lie in ifs. */
    @Test
    void takesBranchesOfEveryKind() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Value x = b.floats("x", "N", 4);
            Value w = b.weights("w", 4);
            Value yes = b.booleans("yes", new boolean[] {true});
            GraphBuilder then = new GraphBuilder(memory);
            Value captured = then.floats("captured", "M", 4);
            Value inside = then.booleans("inside", new boolean[] {false});
            Value nested = then.node("same", new If(branch(memory, 1), branch(memory, 2)), inside, captured, captured);
            Value five = then.weights("five", 5);
            Value list = then.node("list", new SequenceConstruct(), nested, captured);
            Graph body = then.graph(captured, five, nested, nested, list);
            List<Value> r = b.nodes("r", new If(body, body), 5, yes, x);
            List<Value> again = b.nodes("again", new If(body, body), 5, yes, b.node("sum", ADD, x, w));
            Tensor at = Tensor.allocate(memory, DataType.INT64, Shape.scalar());
            Value first = b.node("first", new SequenceAt(), again.get(4), b.constant("at", at));
            List<Value> outputs = new ArrayList<>(r);
            outputs.addAll(again.subList(0, 4));
            outputs.add(first);
            Graph before = b.graph(outputs.toArray(Value[]::new));
            Graph after = new FoldConstants(memory).run(before, new PassContext(memory, false));
            Verifier.verify(after, "inlined");
            assertThat(after.nodes()).noneMatch(n -> n.op() instanceof If);
            assertThat(after.outputs())
                    .extracting(Value::name)
                    .containsExactlyElementsOf(outputs.stream().map(Value::name).toList());
            PassCheck.agree(before, after, memory);
        }
    }

    @Test
    void keepsAnIfThatTheRunDecides() {
        try (MemoryScope memory = MemoryScope.confined("test")) {
            GraphBuilder b = new GraphBuilder(memory);
            Value c = b.input("c", DataType.BOOL);
            Graph g = b.graph(b.node("y", new If(identity(memory), identity(memory)), c, b.floats("x", 2, 4)));
            assertThat(new FoldConstants(memory).run(g, new PassContext(memory, false)))
                    .isSameAs(g);
        }
    }

    /** x w + x + constant. */
    private static Graph branch(MemoryScope memory, double constant) {
        GraphBuilder b = new GraphBuilder(memory);
        Value x = b.floats("branch_x", "M", 4);
        Value product = b.node("product", new Binary(BinaryFn.MUL), x, b.floats("branch_w", 4));
        return b.graph(b.node("branch_y", ADD, product, b.node("c", ADD, x, b.scalar(constant))));
    }

    private static Graph identity(MemoryScope memory) {
        GraphBuilder b = new GraphBuilder(memory);
        return b.graph(b.floats("same", "M", 4));
    }

    @Test
    void mergesEqualNodes() {
        PassCheck.rewrites(new MergeCommonSubexpressions(), "two_of_one", b -> {
            Value x = b.floats("x", "N", 4);
            Value s = b.scalar(2);
            Value left = b.node("left", Unary.of(UnaryFn.EXP), b.node("a", ADD, x, s));
            Value right = b.node("right", Unary.of(UnaryFn.EXP), b.node("b", ADD, x, s));
            return b.graph(b.node("y", ADD, left, right));
        });
        PassCheck.keeps(new MergeCommonSubexpressions(), b -> {
            Value x = b.floats("x", "N", 4);
            return b.graph(b.node("left", Unary.of(UnaryFn.EXP), x), b.node("right", Unary.of(UnaryFn.EXP), x));
        });
    }
}
