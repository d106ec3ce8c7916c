package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class UnaryTest {
    /** Values from tables and by hand. */
    @ParameterizedTest
    @CsvSource({
        "ABS,-2.5,2.5",
        "NEG,2,-2",
        "SIGN,-3,-1",
        "SIGN,NaN,NaN",
        "SQRT,9,3",
        "SQRT,-1,NaN",
        "RSQRT,4,0.5",
        "RECIPROCAL,-4,-0.25",
        "EXP,1,2.718281828459045",
        "LOG,0,-Infinity",
        "SIN,1,0.8414709848078965",
        "COS,1,0.5403023058681398",
        "TAN,1,1.5574077246549023",
        "ASIN,0.5,0.5235987755982989",
        "ACOS,0.5,1.0471975511965979",
        "ATAN,1,0.7853981633974483",
        "SINH,1,1.1752011936438014",
        "COSH,1,1.543080634815244",
        "TANH,1,0.7615941559557649",
        "ASINH,1,0.881373587019543",
        "ASINH,-1e200,-461.2101657793691",
        "ACOSH,2,1.3169578969248166",
        "ACOSH,0.5,NaN",
        "ATANH,0.5,0.5493061443340549",
        "ERF,0.5,0.5204998778130465",
        "ERF,-3,-0.9999779095030014",
        "ERF,30,1",
        "ERF,NaN,NaN",
        "FLOOR,-1.5,-2",
        "CEIL,-1.5,-1",
        "ROUND,2.5,2",
        "ROUND,-1.5,-2",
        "RELU,-1,0",
        "RELU,NaN,NaN",
        "LEAKY_RELU,-1,-0.009999999776482582",
        "ELU,-1,-0.6321205588285577",
        "SELU,-1,-1.1113307378125627",
        "CELU,-1,-0.6321205588285577",
        "SIGMOID,0,0.5",
        "SIGMOID,-1000,0",
        "HARD_SIGMOID,1,0.7",
        "HARD_SWISH,1,0.6666666666666666",
        "HARD_SWISH,-4,0",
        "SILU,1,0.7310585786300049",
        "SOFTPLUS,0,0.6931471805599453",
        "SOFTPLUS,1000,1000",
        "SOFTSIGN,-3,-0.75",
        "MISH,1,0.8650983882673103",
        "GELU_ERF,1,0.8413447460685429",
        "GELU_TANH,1,0.8411919906082768",
        "THRESHOLDED_RELU,1,0",
        "THRESHOLDED_RELU,1.5,1.5",
        "SHRINK,-0.5,0",
        "SHRINK,0.75,0.75",
        "LINEAR,3,3",
    })
    void computesTheFunction(UnaryFn fn, double x, double expected) {
        double y = Unary.of(fn).apply(x);
        if (Double.isNaN(expected) || Double.isInfinite(expected)) {
            assertThat((Double) y).isEqualTo((Double) expected);
        } else {
            assertThat(y).isCloseTo(expected, within(1e-7 * Math.max(1, Math.abs(expected))));
        }
    }

    @Property
    void errorFunctionIsOddMonotoneAndBounded(@ForAll @DoubleRange(min = 0, max = 8) double x) {
        assertThat(Erf.of(-x)).isEqualTo(-Erf.of(x));
        assertThat(Erf.of(x)).isBetween(0.0, 1.0);
        assertThat(Erf.of(x + 1e-6)).isGreaterThanOrEqualTo(Erf.of(x) - 1e-15);
    }

    /** Both forms hold at the joint of series and continued fraction. */
    @Test
    void errorFunctionHasNoStep() {
        assertThat(Erf.of(Math.nextUp(2.5))).isCloseTo(Erf.of(Math.nextDown(2.5)), within(1e-14));
        assertThat(Erf.of(2.5)).isCloseTo(0.999593047982555, within(1e-14));
    }

    @Test
    void integersStayExact() {
        Tensor x = Run.longs(Long.MAX_VALUE, -Long.MAX_VALUE, Long.MIN_VALUE, 0);
        assertThat(Run.one(Unary.of(UnaryFn.ABS), x).toLongArray())
                .containsExactly(Long.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, 0);
        assertThat(Run.one(Unary.of(UnaryFn.NEG), x).toLongArray())
                .containsExactly(-Long.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE, 0);
        assertThat(Run.one(Unary.of(UnaryFn.SIGN), x).toLongArray()).containsExactly(1, -1, -1, 0);
        Tensor unsigned = Run.ints(DataType.UINT64, -1, 0);
        assertThat(Run.one(Unary.of(UnaryFn.SIGN), unsigned).toLongArray()).containsExactly(1, 0);
        assertThat(Run.one(Unary.of(UnaryFn.BIT_NOT), Run.ints(DataType.UINT8, 1, 255))
                        .toLongArray())
                .containsExactly(254, 0);
        assertThat(Run.one(Unary.of(UnaryFn.LOGICAL_NOT), Run.booleans(true, false))
                        .toLongArray())
                .containsExactly(0, 1);
    }

    @Test
    void clipsIntegersOfEveryWidth() {
        Tensor x = Run.ints(DataType.UINT64, -1, 5);
        assertThat(Run.one(new Unary(UnaryFn.CLIP, -3, 7), x).toLongArray()).containsExactly(7, 5);
        assertThat(Run.one(new Unary(UnaryFn.CLIP, -3, 7), Run.ints(DataType.INT8, -100, 100))
                        .toLongArray())
                .containsExactly(-3, 7);
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT16", "BFLOAT16", "FLOAT64", "FLOAT8E5M2"})
    void worksOnEveryFloatType(DataType type) {
        Tensor x = Run.of(type, Shape.of(3), -1, 0, 2);
        assertThat(Run.one(Unary.of(UnaryFn.RELU), x).toDoubleArray()).containsExactly(0, 0, 2);
    }

    /** Blocks end where the tensor ends. */
    @Test
    void reachesEveryElementBeyondOneBlock() {
        Tensor y = Run.one(Unary.of(UnaryFn.NEG), Run.counting(3, Blocks.SIZE + 1));
        for (long i = 0; i < y.size(); i++) {
            assertThat(y.getDouble(i)).isEqualTo(-i);
        }
    }

    @Test
    void rejectsTypesItIsNotDefinedFor() {
        assertThatThrownBy(() -> Run.one(Unary.of(UnaryFn.SQRT), Run.longs(1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("Sqrt 'test'")
                .hasMessageContaining("INT64");
        assertThatThrownBy(() -> Run.one(Unary.of(UnaryFn.LOGICAL_NOT), Run.longs(1)))
                .isInstanceOf(ShapeException.class);
    }
}
