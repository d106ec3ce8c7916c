package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/** QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear, IntegerConv, IntegerMatMul. */
class QuantizationTest {
    private static Tensor bytes(Shape shape, double... values) {
        return Run.of(DataType.UINT8, shape, values);
    }

    @Test
    void roundsHalfToEvenAndSaturates() {
        Op op = Import.op("QuantizeLinear");
        Tensor y = Run.one(op, Run.floats(1, 3, 5, -9, 9999), Run.floats(Shape.scalar(), 2), bytes(Shape.scalar(), 1));
        assertThat(y.toDoubleArray()).containsExactly(1, 3, 3, 0, 255);
    }

    @Test
    void whatIsNotANumberBecomesTheZeroPoint() {
        Op op = Import.op("QuantizeLinear");
        Tensor y = Run.one(op, Run.floats(Double.NaN, 2), Run.floats(Shape.scalar(), 2), bytes(Shape.scalar(), 7));
        assertThat(y.toDoubleArray()).containsExactly(7, 8);
        Tensor byZero = Run.one(op, Run.floats(0, 2, -2), Run.floats(Shape.scalar(), 0), bytes(Shape.scalar(), 7));
        assertThat(byZero.toDoubleArray()).containsExactly(7, 255, 0);
    }

    @Test
    void quantisesAxesAndBlocks() {
        Tensor x = Run.floats(Shape.of(2, 4), 2, 4, 6, 8, 2, 4, 6, 8);
        Op axis = Import.op("QuantizeLinear", "axis", 0L);
        assertThat(Run.one(axis, x, Run.floats(1, 2)).toDoubleArray()).containsExactly(2, 4, 6, 8, 1, 2, 3, 4);
        Op blocks = Import.op("QuantizeLinear", "axis", 1L, "block_size", 2L, "output_dtype", 6L);
        Tensor scale = Run.floats(Shape.of(2, 2), 1, 2, -1, 4);
        Op back = Import.op("DequantizeLinear", "axis", 1L, "block_size", 2L);
        assertThatThrownBy(() -> Run.one(axis, x, Run.floats(1, 2, 3))).isInstanceOf(ShapeException.class);
        Tensor y = Run.one(blocks, x, scale);
        assertThat(y.toDoubleArray()).containsExactly(2, 4, 3, 4, -2, -4, 2, 2);
        assertThat(Run.one(back, y, scale).toDoubleArray()).containsExactly(2, 4, 6, 8, 2, 4, 8, 8);
    }

    @Test
    void survivesBadScales() {
        Op op = Import.op("QuantizeLinear");
        for (double scale : new double[] {0, Double.NaN, -1}) {
            Tensor y = Run.one(op, Run.floats(1, 0, -1), Run.floats(Shape.scalar(), scale));
            assertThat(y.size()).isEqualTo(3);
        }
        assertThatThrownBy(() -> Import.op("QuantizeLinear", "block_size", -1L))
                .isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> Run.one(Import.op("QuantizeLinear", "axis", 5L), Run.counting(2, 2), Run.floats(1, 2)))
                .hasMessageContaining("axis 5");
    }

    @Test
    void packsNarrowTypes() {
        Op op = Import.op("QuantizeLinear", "output_dtype", (long) DataType.INT4.code());
        Tensor y = Run.one(op, Run.floats(-99, 3, 99), Run.floats(Shape.scalar(), 1));
        assertThat(y.type()).isEqualTo(DataType.INT4);
        assertThat(y.toLongArray()).containsExactly(-8, 3, 7);
    }

    @Test
    void takesTheRangeFromTheData() {
        List<Tensor> y = Run.all(new DynamicQuantizeLinear(), Run.floats(-1, 0, 1.55));
        assertThat(y.get(1).getDouble(0)).isCloseTo(0.01, offset(1e-9));
        assertThat(y.get(2).getLong(0)).isEqualTo(100);
        assertThat(y.get(0).toLongArray()).containsExactly(0, 100, 255);
        assertThat(Run.all(new DynamicQuantizeLinear(), Run.floats(0, 0)).get(0).toLongArray())
                .containsExactly(0, 0);
    }

    @Test
    void convolvesBytes() {
        Tensor x = bytes(Shape.of(1, 1, 3), 2, 3, 4);
        Tensor w = bytes(Shape.of(1, 1, 2), 1, 2);
        Tensor y = Run.one(Import.op("ConvInteger"), x, w, bytes(Shape.scalar(), 1));
        assertThat(y.type()).isEqualTo(DataType.INT32);
        assertThat(y.toLongArray()).containsExactly(5, 8);
        Tensor half = Run.floats(Shape.scalar(), 0.5);
        Tensor zero = bytes(Shape.scalar(), 0);
        Tensor q = Run.one(
                Import.op("QLinearConv"),
                x,
                half,
                bytes(Shape.scalar(), 1),
                w,
                half,
                zero,
                half,
                bytes(Shape.scalar(), 7),
                Run.ints(DataType.INT32, 2));
        // (5 + 2) / 2 and (8 + 2) / 2, the former to even.
        assertThat(q.toLongArray()).containsExactly(11, 12);
    }

    @Test
    void multipliesBytes() {
        Tensor a = bytes(Shape.of(2, 2), 1, 2, 3, 4);
        Tensor b = bytes(Shape.of(2, 1), 5, 6);
        Op op = Import.op("MatMulInteger");
        assertThat(Run.one(op, a, b).toLongArray()).containsExactly(17, 39);
        assertThat(Run.one(op, a, b, bytes(Shape.of(2), 1, 3), bytes(Shape.scalar(), 5))
                        .toLongArray())
                .containsExactly(1, 1);
        Tensor one = Run.floats(Shape.scalar(), 1);
        Tensor zero = bytes(Shape.scalar(), 0);
        assertThat(Run.one(Import.op("QLinearMatMul"), a, one, zero, b, one, zero, Run.floats(Shape.scalar(), 4), zero)
                        .toLongArray())
                .containsExactly(4, 10);
        assertThatThrownBy(() -> Run.one(op, a, bytes(Shape.of(3, 1), 1, 2, 3))).isInstanceOf(ShapeException.class);
    }
}
