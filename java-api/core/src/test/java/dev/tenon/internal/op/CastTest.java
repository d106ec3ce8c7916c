package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CastTest {
    @ParameterizedTest
    @CsvSource({
        "-1.9,INT32,-1",
        "1e20,INT64,9223372036854775807",
        "1e20,INT32,2147483647",
        "NaN,INT32,0",
        "NaN,INT64,0",
        "NaN,UINT32,0",
        "NaN,UINT64,0",
        "-1.5,UINT64,0",
        "-Infinity,UINT64,0",
        "9223372036854775808,UINT64,9223372036854775808",
        "Infinity,UINT64,18446744073709551615",
        "257,UINT8,1",
        "-1,UINT8,255",
        "9,INT4,-7",
        "NaN,BOOL,1",
        "-0.0,BOOL,0",
        "65504.5,FLOAT16,65504",
        "1e6,FLOAT16,Infinity",
        "1e6,FLOAT8E4M3FN,448",
        "1e6,FLOAT8E5M2,57344",
        "3,FLOAT8E8M0,4",
    })
    void convertsFromFloat(double x, DataType to, double expected) {
        assertThat(Run.one(Cast.of(to), Run.floats(x)).getDouble(0)).isEqualTo(expected);
    }

    @Test
    void withoutSaturationFloat8OverflowsToNaNOrInfinity() {
        Cast e4 = new Cast(DataType.FLOAT8E4M3FN, false, Cast.Rounding.UP);
        Cast e5 = new Cast(DataType.FLOAT8E5M2, false, Cast.Rounding.UP);
        assertThat(Run.one(e4, Run.floats(1e6)).getDouble(0)).isNaN();
        assertThat(Run.one(e5, Run.floats(1e6)).getDouble(0)).isInfinite();
    }

    @ParameterizedTest
    @CsvSource({"UP,5,8", "DOWN,5,4", "NEAREST,5,4", "NEAREST,6,8", "UP,4,4"})
    void powersOfTwoRoundAsAsked(Cast.Rounding rounding, double x, double expected) {
        Cast cast = new Cast(DataType.FLOAT8E8M0, true, rounding);
        assertThat(Run.one(cast, Run.floats(x)).getDouble(0)).isEqualTo(expected);
    }

    @Test
    void integersKeepTheirLowBits() {
        Tensor x = Run.longs(-1, 1L << 32 | 5, Long.MIN_VALUE);
        assertThat(Run.one(Cast.of(DataType.INT32), x).toLongArray()).containsExactly(-1, 5, 0);
        assertThat(Run.one(Cast.of(DataType.UINT32), x).toLongArray()).containsExactly(0xFFFF_FFFFL, 5, 0);
        assertThat(Run.one(Cast.of(DataType.FLOAT64), Run.ints(DataType.UINT64, -1))
                        .getDouble(0))
                .isEqualTo(0x1p64);
    }

    @ParameterizedTest
    @CsvSource({
        "1,1.0",
        "0.1,0.1",
        "-2.5,-2.5",
        "1e15,1000000000000000.0",
        "1e16,1e+16",
        "-1.5e-7,-1.5e-07",
        "NaN,NaN",
        "Infinity,INF",
        "-Infinity,-INF",
    })
    void writesShortestText(double x, String text) {
        Tensor y = Run.one(Cast.of(DataType.STRING), Run.of(DataType.FLOAT64, Shape.of(1), x));
        assertThat(y.getString(0)).isEqualTo(text);
    }

    @Test
    void readsText() {
        Tensor x = Tensor.ofStrings(new String[] {"1e3", "-INF", "NaN", " 0.5 "}, 4);
        assertThat(Run.one(Cast.of(DataType.FLOAT32), x).toDoubleArray())
                .containsExactly(1000, Double.NEGATIVE_INFINITY, Double.NaN, 0.5);
        Tensor whole = Tensor.ofStrings(new String[] {"9223372036854775807", "2.9"}, 2);
        assertThat(Run.one(Cast.of(DataType.INT64), whole).toLongArray()).containsExactly(Long.MAX_VALUE, 2);
        Tensor unsigned = Tensor.ofStrings(new String[] {"18446744073709551615", "1e19", "-1.5", "-1"}, 4);
        assertThat(Run.one(Cast.of(DataType.UINT64), unsigned).toLongArray())
                .containsExactly(-1, Long.parseUnsignedLong("10000000000000000000"), 0, -1);
        Tensor large = Tensor.ofStrings(new String[] {"1e10", "10000000000"}, 2);
        assertThat(Run.one(Cast.of(DataType.INT32), large).toLongArray())
                .containsExactly(Integer.MAX_VALUE, (int) 10_000_000_000L);
        assertThatThrownBy(() -> Run.one(Cast.of(DataType.INT64), Tensor.ofStrings(new String[] {""}, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("cannot read ''");
        assertThatThrownBy(() -> Run.one(Cast.of(DataType.INT64), Tensor.ofStrings(new String[] {"seven"}, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("cannot read 'seven' as INT64");
    }

    @Test
    void castLikeTakesTheTypeOfTheSecondInput() {
        Tensor y = Run.one(new CastLike(true, Cast.Rounding.UP), Run.floats(1.5, 2.5), Run.longs(0, 0, 0));
        assertThat(y.type()).isEqualTo(DataType.INT64);
        assertThat(y.toLongArray()).containsExactly(1, 2);
    }

    @Test
    void bitCastKeepsBits() {
        Tensor y = Run.one(new BitCast(DataType.INT32), Run.floats(1, -0.0));
        assertThat(y.toLongArray()).containsExactly(0x3F80_0000, Integer.MIN_VALUE);
        assertThatThrownBy(() -> Run.one(new BitCast(DataType.INT64), Run.floats(1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("same size");
    }

    @Test
    void rejectsComplexNumbers() {
        assertThatThrownBy(() -> Run.one(Cast.of(DataType.COMPLEX64), Run.floats(1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("COMPLEX64");
    }
}
