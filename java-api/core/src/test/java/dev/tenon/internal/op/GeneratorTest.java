package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Operators that make tensors, that ask for more memory than there is, and the rest of the one-of-a-kind ones. */
class GeneratorTest {
    private static Tensor number(long v) {
        return Run.scalar(v);
    }

    @ParameterizedTest
    @CsvSource({
        "0,5,2,3",
        "5,0,-2,3",
        "0,0,1,0",
        "3,1,1,0",
        "9223372036854775800,9223372036854775807,4,2",
        "-9223372036854775808,9223372036854775807,9223372036854775807,3",
    })
    void rangeCountsExactly(long start, long limit, long delta, int count) {
        long[] y = Run.one(new Range(), number(start), number(limit), number(delta))
                .toLongArray();
        assertThat(y).hasSize(count);
        for (int i = 0; i < count; i++) {
            assertThat(y[i]).isEqualTo(start + i * delta);
        }
    }

    @Test
    void rangeRejectsStepZeroAndNaN() {
        assertThatThrownBy(() -> Run.one(new Range(), number(0), number(1), number(0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("delta is 0");
        Tensor zero = Run.floats(Shape.scalar(), 0);
        assertThatThrownBy(() -> Run.one(new Range(), zero, Run.floats(Shape.scalar(), Double.NaN), zero))
                .isInstanceOf(ShapeException.class);
    }

    private static void assertRefused(Op op, Tensor... inputs) {
        assertThatThrownBy(() -> Run.one(op, inputs))
                .isInstanceOf(ShapeException.class)
                .hasMessageNotContaining("null");
    }

    /** Each of these few bytes asks for terabytes; all are refused without taking any. */
    @Test
    void hugeOutputsAreRefusedBeforeMemoryIsTaken() {
        long tera = 1L << 42;
        assertRefused(new Range(), number(0), number(Long.MAX_VALUE), number(1));
        assertRefused(new Range(), number(Long.MIN_VALUE), number(Long.MAX_VALUE), number(1));
        assertRefused(
                new Range(),
                Run.of(DataType.FLOAT64, Shape.scalar(), 0),
                Run.of(DataType.FLOAT64, Shape.scalar(), 1e18),
                Run.of(DataType.FLOAT64, Shape.scalar(), 1e-9));
        assertRefused(new ConstantOfShape(DataType.FLOAT32, 0), Run.longs(tera));
        assertRefused(new ConstantOfShape(DataType.FLOAT32, 0), Run.longs(tera, tera));
        assertRefused(new ConstantOfShape(DataType.FLOAT32, 0), Run.longs(-1));
        assertRefused(new Expand(), Run.floats(1), Run.longs(tera));
        assertRefused(new Tile(), Run.floats(1, 2), Run.longs(1L << 40));
        assertRefused(new Tile(), Run.floats(1, 2), Run.longs(Long.MAX_VALUE));
        assertRefused(new Pad(PadMode.CONSTANT), Run.floats(1), Run.longs(tera, 0));
        assertRefused(new Pad(PadMode.WRAP), Run.floats(1), Run.longs(tera, tera));
        assertRefused(new OneHot(-1), Run.longs(1), number(tera), Run.floats(0, 1));
        assertRefused(new CenterCropPad(List.of()), Run.floats(1), Run.longs(tera));
    }

    @Test
    void constantOfShapeHoldsItsValue() {
        Tensor y = Run.one(new ConstantOfShape(DataType.INT64, -3), Run.longs(2, 2));
        assertThat(y.toLongArray()).containsExactly(-3, -3, -3, -3);
        Tensor half = Run.one(new ConstantOfShape(DataType.FLOAT16, Double.doubleToRawLongBits(0.5)), Run.longs());
        assertThat(half.shape()).isEqualTo(Shape.scalar());
        assertThat(half.getDouble(0)).isEqualTo(0.5);
    }

    @Test
    void eyeLikeSetsOneDiagonal() {
        EyeLike shifted = new EyeLike(Optional.of(DataType.INT32), 1);
        assertThat(Run.one(shifted, Run.counting(2, 3)).toLongArray()).containsExactly(0, 1, 0, 0, 0, 1);
        assertThat(Run.one(new EyeLike(Optional.empty(), Long.MIN_VALUE), Run.counting(2, 2))
                        .toDoubleArray())
                .containsOnly(0);
    }

    @Test
    void oneHotWrapsNegativesAndSkipsTheRest() {
        Tensor y = Run.one(new OneHot(0), Run.longs(1, -1, 5, Long.MIN_VALUE), number(2), Run.floats(7, 9));
        assertThat(y.shape()).isEqualTo(Shape.of(2, 4));
        assertThat(y.toDoubleArray()).containsExactly(7, 7, 7, 7, 9, 9, 7, 7);
        assertRefused(new OneHot(0), Run.longs(1), number(-1), Run.floats(0, 1));
        assertRefused(new OneHot(0), Run.longs(1), number(2), Run.floats(0));
    }

    @Test
    void einsumSumsWhatTheResultLeavesOut() {
        Tensor a = Run.counting(2, 3);
        Tensor b = Run.counting(3, 2);
        assertThat(Run.one(new Einsum("ij,jk->ik"), a, b).toDoubleArray()).containsExactly(10, 13, 28, 40);
        assertThat(Run.one(new Einsum("ij,jk"), a, b).toDoubleArray()).containsExactly(10, 13, 28, 40);
        assertThat(Run.one(new Einsum("ii->i"), Run.counting(2, 2)).toDoubleArray())
                .containsExactly(0, 3);
        assertThat(Run.one(new Einsum("ij->"), Run.longs(Shape.of(1, 2), Long.MAX_VALUE, 1))
                        .toLongArray())
                .containsExactly(Long.MIN_VALUE);
        assertThat(Run.one(new Einsum("...i,...i->..."), Run.counting(2, 2), Run.counting(1, 2))
                        .toDoubleArray())
                .containsExactly(1, 3);
        assertThat(Run.one(new Einsum("i,i->"), Run.counting(0), Run.counting(0))
                        .toDoubleArray())
                .containsExactly(0);
        assertRefused(new Einsum("ij,jk->ik"), a, a);
        assertRefused(new Einsum("ijk->i"), a);
    }

    @Test
    void determinantsNeedPivots() {
        Tensor x = Run.floats(Shape.of(2, 2, 2), 0, 1, 1, 0, 1, 2, 2, 4);
        assertThat(Run.one(new Det(), x).toDoubleArray()).containsExactly(-1, 0);
        assertRefused(new Det(), Run.counting(2, 3));
    }

    @Test
    void dropoutKeepsEverythingUnlessItMustDrop() {
        Tensor x = Run.floats(1, 2);
        List<Tensor> y = Run.all(new Dropout(true), x);
        assertThat(y.get(0).toDoubleArray()).containsExactly(1, 2);
        assertThat(y.get(1).toLongArray()).containsExactly(1, 1);
        Tensor half = Run.floats(Shape.scalar(), 0.5);
        Tensor yes = Run.booleans(true).reshaped(Shape.scalar());
        assertThatThrownBy(() -> Run.all(new Dropout(true), x, half, yes))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("training mode");
    }

    @Test
    void swiGluGatesTheSecondInput() {
        Tensor y = Run.one(new SwiGlu(1), Run.floats(0, 1), Run.floats(5, 2));
        assertThat(y.getDouble(0)).isZero();
        assertThat(y.getDouble(1)).isCloseTo(2 * 0.7310585786300049, within(1e-6));
    }
}
