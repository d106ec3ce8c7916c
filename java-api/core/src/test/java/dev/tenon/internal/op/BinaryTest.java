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
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BinaryTest {
    @ParameterizedTest
    @CsvSource({
        "ADD,9223372036854775807,1,-9223372036854775808",
        "SUB,3,5,-2",
        "MUL,-3,5,-15",
        "DIV,-7,2,-3",
        "DIV,1,0,0",
        "DIV,-9223372036854775808,-1,-9223372036854775808",
        "MOD,-7,3,2",
        "MOD,7,-3,-2",
        "FMOD,-7,3,-1",
        "MOD,5,0,0",
        "MIN,-1,2,-1",
        "MAX,-1,2,2",
        "POW,3,4,81",
        "POW,2,-1,0",
        "POW,-1,-3,-1",
        "PRELU,-2,3,-6",
        "BIT_AND,6,3,2",
        "BIT_OR,6,3,7",
        "BIT_XOR,6,3,5",
        "SHIFT_LEFT,1,64,0",
        "SHIFT_RIGHT,-8,1,-4",
    })
    void computesOnIntegers(BinaryFn fn, long a, long b, long expected) {
        assertThat(Run.one(new Binary(fn), Run.longs(a), Run.longs(b)).toLongArray())
                .containsExactly(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "DIV,18446744073709551615,2,9223372036854775807",
        "MOD,18446744073709551615,10,5",
        "MIN,18446744073709551615,1,1",
        "MAX,18446744073709551615,1,18446744073709551615",
        "SHIFT_RIGHT,18446744073709551615,63,1",
        "SHIFT_RIGHT,18446744073709551615,64,0",
    })
    void readsUint64AsUnsigned(BinaryFn fn, String a, String b, String expected) {
        Tensor y = Run.one(
                new Binary(fn),
                Run.ints(DataType.UINT64, Long.parseUnsignedLong(a)),
                Run.ints(DataType.UINT64, Long.parseUnsignedLong(b)));
        assertThat(Long.toUnsignedString(y.getLong(0))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "DIV,1,0,Infinity",
        "MOD,-7.5,2,0.5",
        "FMOD,-7.5,2,-1.5",
        "MIN,NaN,1,NaN",
        "MAX,1,NaN,NaN",
        "POW,2,0.5,1.4142135381698608",
        "PRELU,-2,0.25,-0.5",
    })
    void computesOnFloats(BinaryFn fn, double a, double b, double expected) {
        Double y = Run.one(new Binary(fn), Run.floats(a), Run.floats(b)).getDouble(0);
        assertThat(y).isEqualTo((Double) expected);
    }

    @Test
    void powerTakesAnExponentOfAnotherType() {
        assertThat(Run.one(new Binary(BinaryFn.POW), Run.longs(2, 3), Run.floats(3, 0.5))
                        .toLongArray())
                .containsExactly(8, 1);
        assertThat(Run.one(new Binary(BinaryFn.POW), Run.floats(2, 3), Run.longs(3, -1))
                        .toDoubleArray())
                .containsExactly(8, 1 / 3f);
    }

    @Test
    void eightBitsWrap() {
        assertThat(Run.one(new Binary(BinaryFn.ADD), Run.ints(DataType.UINT8, 200), Run.ints(DataType.UINT8, 100))
                        .getLong(0))
                .isEqualTo(44);
        assertThat(Run.one(new Binary(BinaryFn.SHIFT_LEFT), Run.ints(DataType.UINT8, 255), Run.ints(DataType.UINT8, 4))
                        .getLong(0))
                .isEqualTo(240);
    }

    /** The block reader agrees with plain index arithmetic, whatever axes broadcast. */
    @Property(tries = 200)
    void broadcastsEveryAxis(
            @ForAll @IntRange(min = 1, max = 5) int n,
            @ForAll @IntRange(min = 1, max = 40) int m,
            @ForAll @IntRange(min = 1, max = 9) int k,
            @ForAll @IntRange(min = 0, max = 7) int ones) {
        long[] dims = {(ones & 1) != 0 ? 1 : n, (ones & 2) != 0 ? 1 : m, (ones & 4) != 0 ? 1 : k};
        Tensor a = Run.counting(n, m, k);
        Tensor b = Run.counting(dims);
        Tensor y = Run.one(new Binary(BinaryFn.SUB), a, b);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < m; j++) {
                for (int l = 0; l < k; l++) {
                    long own = ((dims[0] == 1 ? 0 : i) * dims[1] + (dims[1] == 1 ? 0 : j)) * dims[2]
                            + (dims[2] == 1 ? 0 : l);
                    long at = ((long) i * m + j) * k + l;
                    assertThat(y.getDouble(at)).isEqualTo(at - own);
                }
            }
        }
    }

    @Test
    void broadcastingEmptyTensorsGivesEmptyOnes() {
        assertThat(Run.one(new Binary(BinaryFn.ADD), Run.counting(0, 3), Run.counting(1, 3))
                        .shape())
                .isEqualTo(Shape.of(0, 3));
    }

    @Test
    void inferRejectsWhatDoesNotFit() {
        assertThatThrownBy(() -> Run.one(new Binary(BinaryFn.ADD), Run.counting(2), Run.counting(3)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(new Binary(BinaryFn.ADD), Run.counting(2), Run.longs(1, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("element types differ");
        assertThatThrownBy(() -> Run.one(new Binary(BinaryFn.PRELU), Run.counting(2), Run.counting(3, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("slope");
    }

    @Test
    void shapeArithmeticKeepsSymbols() {
        Dim n = Dim.symbol("N");
        assertThat(Run.inferDims(
                        new Binary(BinaryFn.MUL),
                        Map.of(0, List.of(n, Dim.of(3)), 1, Run.dims(1, 4)),
                        Run.vector(2),
                        Run.vector(2)))
                .contains(List.of(n, Dim.of(12)));
        assertThat(Run.inferDims(
                        new Binary(BinaryFn.SUB), Map.of(0, List.of(n), 1, List.of(n)), Run.vector(1), Run.vector(1)))
                .contains(Run.dims(0));
    }

    @Test
    void variadicFunctionsTakeAnyNumber() {
        Tensor a = Run.floats(1, 5, Double.NaN);
        Tensor b = Run.floats(4, 2, 1);
        Tensor c = Run.floats(4);
        assertThat(Run.one(new Variadic(VariadicFn.SUM), a, b, c).toDoubleArray())
                .containsExactly(9, 11, Double.NaN);
        assertThat(Run.one(new Variadic(VariadicFn.MEAN), a, b, c).getDouble(0)).isEqualTo(3);
        assertThat(Run.one(new Variadic(VariadicFn.MAX), a, b, c).toDoubleArray())
                .containsExactly(4, 5, Double.NaN);
        assertThat(Run.one(new Variadic(VariadicFn.MIN), a).toDoubleArray()).containsExactly(1, 5, Double.NaN);
    }

    @Test
    void oldModelsLineUpAxesFromTheFront() {
        Tensor x = Run.counting(1, 2, 2);
        Tensor y = Run.one(new AlignedBinary(BinaryFn.MUL, 1), x, Run.floats(10, 100));
        assertThat(y.toDoubleArray()).containsExactly(0, 10, 200, 300);
        assertThatThrownBy(() -> Run.one(new AlignedBinary(BinaryFn.MUL, 2), x, Run.counting(2, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("does not fit");
    }
}
