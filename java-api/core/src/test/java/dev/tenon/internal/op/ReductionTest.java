package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reduce, ArgReduce, Cumulative, Softmax, TopK. */
class ReductionTest {
    @ParameterizedTest
    @CsvSource({
        "SUM,-1",
        "MEAN,-0.333333343",
        "MAX,3",
        "MIN,-4",
        "PROD,0",
        "L1,7",
        "L2,5",
        "SUM_SQUARE,25",
        "LOG_SUM,NaN",
        "LOG_SUM_EXP,3.0494556",
    })
    void folds(ReduceFn fn, double expected) {
        Tensor y = Run.one(new Reduce(fn, false, false), Run.floats(3, -4, 0));
        assertThat(y.shape()).isEqualTo(Shape.scalar());
        assertClose(y.getDouble(0), expected);
    }

    @ParameterizedTest
    @CsvSource({
        "SUM,0",
        "MEAN,NaN",
        "MAX,-Infinity",
        "MIN,Infinity",
        "PROD,1",
        "L1,0",
        "L2,0",
        "SUM_SQUARE,0",
        "LOG_SUM,-Infinity",
        "LOG_SUM_EXP,-Infinity",
    })
    void foldsNothing(ReduceFn fn, double expected) {
        Tensor y = Run.one(new Reduce(fn, true, false), Run.counting(2, 0), Run.longs(1));
        assertThat(y.shape()).isEqualTo(Shape.of(2, 1));
        assertClose(y.getDouble(1), expected);
    }

    private static void assertClose(double y, double expected) {
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            assertThat((Double) y).isEqualTo((Double) expected);
        } else {
            assertThat(y).isCloseTo(expected, within(1e-6));
        }
    }

    @Test
    void foldsChosenAxes() {
        Tensor x = Run.counting(2, 3, 2);
        Reduce sum = new Reduce(ReduceFn.SUM, false, false);
        assertThat(Run.one(sum, x, Run.longs(0, -1)).toDoubleArray()).containsExactly(14, 22, 30);
        assertThat(Run.one(sum, x, Run.longs(1)).toDoubleArray()).containsExactly(6, 9, 24, 27);
        assertThat(Run.one(sum, x, Run.longs()).toDoubleArray()).containsExactly(66);
        assertThat(Run.one(new Reduce(ReduceFn.SUM_SQUARE, true, true), Run.floats(3, 4))
                        .toDoubleArray())
                .containsExactly(9, 16);
        assertThatThrownBy(() -> Run.one(sum, x, Run.longs(3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("axis 3");
        assertThatThrownBy(() -> Run.one(sum, x, Run.longs(0, -3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("twice");
    }

    @Test
    void integersAndBooleansFoldExactly() {
        Reduce max = new Reduce(ReduceFn.MAX, false, false);
        Reduce min = new Reduce(ReduceFn.MIN, false, false);
        assertThat(Run.one(max, Run.longs(Long.MAX_VALUE, Long.MAX_VALUE - 1)).getLong(0))
                .isEqualTo(Long.MAX_VALUE);
        assertThat(Run.one(max, Run.ints(DataType.UINT64, -1, 1)).getLong(0)).isEqualTo(-1);
        assertThat(Run.one(min, Run.booleans(true, false)).getBoolean(0)).isFalse();
        assertThat(Run.one(max, Run.ints(DataType.INT8)).getLong(0)).isEqualTo(-128);
        assertThat(Run.one(min, Run.ints(DataType.UINT16)).getLong(0)).isEqualTo(65535);
    }

    @Test
    void logSumExpDoesNotOverflow() {
        Reduce fn = new Reduce(ReduceFn.LOG_SUM_EXP, false, false);
        assertThat(Run.one(fn, Run.floats(1000, 1000)).getDouble(0)).isCloseTo(1000.6931, within(1e-3));
    }

    @Test
    void inferKeepsSymbols() {
        Dim n = Dim.symbol("N");
        assertThat(Run.infer(
                                new Reduce(ReduceFn.SUM, true, false),
                                Map.of(1, Run.dims(-1)),
                                Run.type(DataType.FLOAT32, n, Dim.of(4)),
                                Run.vector(1))
                        .shape()
                        .dims())
                .containsExactly(n, Dim.of(1));
        assertThat(Run.inferDims(
                        new Reduce(ReduceFn.PROD, false, false), Map.of(0, List.of(n, Dim.of(1))), Run.vector(2)))
                .contains(List.of(n));
    }

    @Test
    void positionsOfTheExtremes() {
        Tensor x = Run.floats(Shape.of(2, 3), 1, 3, 3, Double.NaN, 9, -1);
        assertThat(Run.one(new ArgReduce(true, 1, false, false), x).toLongArray())
                .containsExactly(1, 0);
        assertThat(Run.one(new ArgReduce(true, 1, false, true), x).toLongArray())
                .containsExactly(2, 0);
        assertThat(Run.one(new ArgReduce(false, -1, true, false), x).shape()).isEqualTo(Shape.of(2, 1));
        assertThat(Run.one(new ArgReduce(false, 0, false, false), Run.ints(DataType.UINT64, -1, 1))
                        .getLong(0))
                .isEqualTo(1);
        assertThatThrownBy(() -> Run.one(new ArgReduce(true, 0, true, false), Run.counting(0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("empty");
    }

    @Test
    void runningSumsAndProducts() {
        Tensor x = Run.floats(1, 2, 3);
        Tensor axis = Run.scalar(0);
        assertThat(Run.one(new Cumulative(false, false, false), x, axis).toDoubleArray())
                .containsExactly(1, 3, 6);
        assertThat(Run.one(new Cumulative(false, true, true), x, axis).toDoubleArray())
                .containsExactly(5, 3, 0);
        assertThat(Run.one(new Cumulative(true, true, false), x, axis).toDoubleArray())
                .containsExactly(1, 1, 2);
        assertThat(Run.one(new Cumulative(false, false, false), Run.longs(Shape.of(2, 2), 1, 2, 3, 4), axis)
                        .toLongArray())
                .containsExactly(1, 2, 4, 6);
        assertThatThrownBy(() -> Run.one(new Cumulative(false, false, false), x, Run.scalar(Long.MIN_VALUE)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void softmaxAlongAnAxisOrFlattened() {
        Tensor x = Run.floats(Shape.of(2, 2), 0, 1000, 0, 1000);
        assertThat(Run.one(new Softmax(SoftmaxKind.SOFTMAX, 0, false), x).toDoubleArray())
                .containsExactly(0.5, 0.5, 0.5, 0.5);
        assertThat(Run.one(new Softmax(SoftmaxKind.SOFTMAX, 0, true), x).toDoubleArray())
                .containsExactly(0, 0.5, 0, 0.5);
        assertThat(Run.one(new Softmax(SoftmaxKind.LOG, -1, false), x).toDoubleArray())
                .containsExactly(-1000, 0, -1000, 0);
        assertThat(Run.one(new Softmax(SoftmaxKind.HARD, 1, false), Run.floats(Shape.of(1, 3), 2, 2, 1))
                        .toDoubleArray())
                .containsExactly(1, 0, 0);
    }

    @Test
    void topKPrefersLowerIndices() {
        Tensor x = Run.floats(Shape.of(2, 4), 1, 3, 3, 2, -1, Double.NaN, 0, -0.0);
        List<Tensor> y = Run.all(new TopK(-1, true), x, Run.longs(2));
        assertThat(y.get(0).toDoubleArray()).containsExactly(3, 3, Double.NaN, 0);
        assertThat(y.get(1).toLongArray()).containsExactly(1, 2, 1, 2);
        assertThat(Run.all(new TopK(0, false), x, Run.longs(1)).get(1).toLongArray())
                .containsExactly(1, 0, 1, 1);
        assertThatThrownBy(() -> Run.one(new TopK(1, true), x, Run.longs(5)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("k is 5");
        assertThatThrownBy(() -> Run.one(new TopK(1, true), x, Run.longs(-1))).isInstanceOf(ShapeException.class);
    }
}
