package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

/** Operators whose result or first operand is boolean: Compare, Logical, FloatTest, Where; and Clip. */
class ComparisonTest {
    @ParameterizedTest
    @CsvSource({"EQUAL,010", "LESS,100", "LESS_EQUAL,110", "GREATER,001", "GREATER_EQUAL,011"})
    void comparesNumbersAndNeverNaN(CompareFn fn, String expected) {
        Tensor y = Run.one(new Compare(fn), Run.floats(1, 2, 3, Double.NaN), Run.floats(2, 2, 2, Double.NaN));
        assertThat(bits(y)).isEqualTo(expected + "0");
        assertThat(bits(Run.one(new Compare(fn), Run.longs(1, 2, 3), Run.longs(2))))
                .isEqualTo(expected);
    }

    @Test
    void comparesLargeIntegersExactly() {
        Tensor a = Run.longs(Long.MAX_VALUE, Long.MAX_VALUE);
        Tensor b = Run.longs(Long.MAX_VALUE - 1, Long.MAX_VALUE);
        assertThat(bits(Run.one(new Compare(CompareFn.EQUAL), a, b))).isEqualTo("01");
        assertThat(bits(Run.one(
                        new Compare(CompareFn.GREATER), Run.ints(DataType.UINT64, -1), Run.ints(DataType.UINT64, 1))))
                .isEqualTo("1");
    }

    @Test
    void comparesText() {
        Tensor a = Tensor.ofStrings(new String[] {"a", "b"}, 2);
        assertThat(bits(Run.one(new Compare(CompareFn.EQUAL), a, Tensor.ofStrings(new String[] {"b"}, 1))))
                .isEqualTo("01");
        assertThatThrownBy(() -> Run.one(new Compare(CompareFn.LESS), a, a)).isInstanceOf(ShapeException.class);
    }

    @ParameterizedTest
    @CsvSource({"LOGICAL_AND,0001", "LOGICAL_OR,0111", "LOGICAL_XOR,0110"})
    void combinesBooleans(LogicalFn fn, String expected) {
        Tensor a = Run.booleans(false, false, true, true);
        Tensor b = Run.booleans(false, true, false, true);
        assertThat(bits(Run.one(new Logical(fn), a, b))).isEqualTo(expected);
    }

    @Test
    void findsNaNAndInfinities() {
        Tensor x = Run.of(
                DataType.FLOAT16, Shape.of(4), Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1);
        assertThat(bits(Run.one(new FloatTest(FloatTestFn.IS_NAN, 0, 0), x))).isEqualTo("1000");
        assertThat(bits(Run.one(new FloatTest(FloatTestFn.IS_INF, 1, 1), x))).isEqualTo("0110");
        assertThat(bits(Run.one(new FloatTest(FloatTestFn.IS_INF, 0, 1), x))).isEqualTo("0010");
    }

    @Test
    void whereChoosesAmongAnyType() {
        Tensor c = Run.booleans(true, false);
        assertThat(Run.one(new Where(), c, Run.floats(1, 2), Run.floats(-1)).toDoubleArray())
                .containsExactly(1, -1);
        assertThat(Run.one(new Where(), c, Run.longs(Long.MAX_VALUE), Run.longs(Long.MIN_VALUE))
                        .toLongArray())
                .containsExactly(Long.MAX_VALUE, Long.MIN_VALUE);
        Tensor text = Run.one(
                new Where(), c, Tensor.ofStrings(new String[] {"x"}, 1), Tensor.ofStrings(new String[] {"p", "q"}, 2));
        assertThat(text.toStringArray()).containsExactly("x", "q");
    }

    @Test
    void whereOnShapesKeepsSymbols() {
        Dim n = Dim.symbol("N");
        assertThat(Run.inferDims(
                        new Where(),
                        Map.of(0, Run.dims(1, 0), 1, Run.dims(7, 7), 2, List.of(n, n)),
                        Run.type(DataType.BOOL, Dim.of(2)),
                        Run.vector(2),
                        Run.vector(2)))
                .contains(List.of(Dim.of(7), n));
    }

    @Test
    void clipTakesEitherBound() {
        Tensor x = Run.floats(-2, Double.NaN, 5);
        Tensor low = Run.floats(Shape.scalar(), 0);
        Tensor high = Run.floats(Shape.scalar(), 3);
        assertThat(Run.one(new Clip(), x, low, high).toDoubleArray()).containsExactly(0, Double.NaN, 3);
        assertThat(Run.one(new Clip(), x, null, high).toDoubleArray()).containsExactly(-2, Double.NaN, 3);
        assertThat(Run.one(new Clip(), x, high, low).toDoubleArray()).containsExactly(0, Double.NaN, 0);
        Tensor bytes = Run.ints(DataType.UINT8, 1, 200);
        assertThat(Run.one(new Clip(), bytes, null, Run.ints(DataType.UINT8, 128))
                        .toLongArray())
                .containsExactly(1, 128);
        assertThatThrownBy(() -> Run.one(new Clip(), x, Run.floats(1, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("one element");
    }

    private static String bits(Tensor t) {
        StringBuilder s = new StringBuilder();
        for (long v : t.toLongArray()) {
            s.append(v);
        }
        return s.toString();
    }
}
