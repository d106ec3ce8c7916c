package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.op.ElementwiseChain.Step;
import java.util.List;
import org.junit.jupiter.api.Test;

class ElementwiseChainTest {
    private static Step step(Enum<?> fn, DataType type, Integer... operands) {
        return new Step(fn, type, List.of(operands), 0, 0);
    }

    @Test
    void givesWhatItsStepsOneByOneGive() {
        Tensor a = Run.counting(5, 300);
        Tensor b = Run.floats(Shape.of(5, 1), -1, -200, 3, 4, 5);
        ElementwiseChain chain = new ElementwiseChain(
                2,
                List.of(
                        step(BinaryFn.ADD, DataType.FLOAT32, 0, 1),
                        new Step(UnaryFn.LEAKY_RELU, DataType.FLOAT32, List.of(2), 0.5f, 0),
                        step(CompareFn.LESS, DataType.BOOL, 2, 1),
                        step(ChainFn.WHERE, DataType.FLOAT32, 4, 0, 3)));
        Tensor sum = Run.one(new Binary(BinaryFn.ADD), a, b);
        Tensor relu = Run.one(new Unary(UnaryFn.LEAKY_RELU, 0.5f, 0), sum);
        Tensor expected = Run.one(new Where(), Run.one(new Compare(CompareFn.LESS), sum, b), a, relu);
        assertThat(Run.one(chain, a, b).toFloatArray()).containsExactly(expected.toFloatArray());
    }

    @Test
    void roundsEveryStepToItsType() {
        ElementwiseChain half = new ElementwiseChain(
                1,
                List.of(
                        step(ChainFn.CAST, DataType.FLOAT16, 0),
                        step(ChainFn.CAST, DataType.FLOAT32, 1),
                        step(BinaryFn.SUB, DataType.FLOAT32, 2, 0)));
        assertThat(Run.one(half, Run.floats(2049, 1)).toDoubleArray()).containsExactly(-1, 0);
        ElementwiseChain bytes = new ElementwiseChain(
                2, List.of(step(BinaryFn.ADD, DataType.UINT8, 0, 1), step(ChainFn.CAST, DataType.INT64, 2)));
        assertThat(Run.one(bytes, Run.ints(DataType.UINT8, 200), Run.ints(DataType.UINT8, 100))
                        .toLongArray())
                .containsExactly(44);
    }

    @Test
    void mixesBooleansIntegersAndFloats() {
        ElementwiseChain chain = new ElementwiseChain(
                2,
                List.of(
                        step(ChainFn.CAST, DataType.INT32, 0),
                        step(UnaryFn.BIT_NOT, DataType.INT32, 2),
                        new Step(FloatTestFn.IS_NAN, DataType.BOOL, List.of(0), 0, 0),
                        step(LogicalFn.LOGICAL_OR, DataType.BOOL, 4, 1),
                        step(ChainFn.CAST, DataType.INT32, 5),
                        step(BinaryFn.MUL, DataType.INT32, 3, 6)));
        Tensor y = Run.one(chain, Run.floats(1.9, Double.NaN, 5), Run.booleans(true, false, false));
        assertThat(y.toLongArray()).containsExactly(-2, -1, 0);
    }

    @Test
    void aStepReadsOnlyWhatIsThere() {
        assertThatThrownBy(() -> new ElementwiseChain(1, List.of(step(UnaryFn.ABS, DataType.FLOAT32, 1))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("operand 1");
        assertThatThrownBy(() -> new ElementwiseChain(1, List.of(step(BinaryFn.ADD, DataType.FLOAT32, 0))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 operands");
        assertThatThrownBy(() -> ElementwiseChain.arity(DataType.BOOL)).isInstanceOf(IllegalArgumentException.class);
    }
}
