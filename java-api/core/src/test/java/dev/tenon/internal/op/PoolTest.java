package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/** MaxPool, AveragePool, LpPool, GlobalPool, MaxUnpool, MaxRoiPool, RoiAlign. */
class PoolTest {
    @Test
    void takesTheMaximumAndItsPlace() {
        Op op = Import.op("MaxPool", "kernel_shape", List.of(2L, 2L), "storage_order", 1L);
        Tensor x = Run.floats(Shape.of(1, 1, 2, 3), 1, 5, 2, 4, 3, 6);
        List<Tensor> y = Run.all(op, x);
        assertThat(y.get(0).toDoubleArray()).containsExactly(5, 6);
        assertThat(y.get(1).toLongArray()).containsExactly(2, 5);
        Op rows = Import.op("MaxPool", "kernel_shape", List.of(2L, 2L));
        assertThat(Run.all(rows, x).get(1).toLongArray()).containsExactly(1, 5);
    }

    @Test
    void roundsOutputSizesUpButStartsNoWindowInThePadding() {
        Op op = Import.op("MaxPool", "kernel_shape", List.of(1L), "strides", List.of(2L), "ceil_mode", 1L);
        assertThat(Run.one(op, Run.counting(1, 1, 4)).toDoubleArray()).containsExactly(0, 2);
        Op hanging = Import.op("MaxPool", "kernel_shape", List.of(3L), "strides", List.of(2L), "ceil_mode", 1L);
        assertThat(Run.one(hanging, Run.counting(1, 1, 4)).toDoubleArray()).containsExactly(2, 3);
    }

    @Test
    void letsNanWin() {
        Op op = Import.op("MaxPool", "kernel_shape", List.of(3L));
        assertThat(Run.one(op, Run.floats(Shape.of(1, 1, 3), 1, Double.NaN, 2)).getDouble(0))
                .isNaN();
    }

    @Test
    void averagesWithAndWithoutPadding() {
        Tensor x = Run.floats(Shape.of(1, 1, 2), 4, 8);
        assertThat(Run.one(Import.op("AveragePool", "kernel_shape", List.of(3L), "pads", List.of(1L, 1L)), x)
                        .toDoubleArray())
                .containsExactly(6, 6);
        Op padded =
                Import.op("AveragePool", "kernel_shape", List.of(3L), "pads", List.of(1L, 1L), "count_include_pad", 1L);
        assertThat(Run.one(padded, x).toDoubleArray()).containsExactly(4, 4);
    }

    @Test
    void takesNorms() {
        Op op = Import.op("LpPool", "kernel_shape", List.of(2L), "p", 2L);
        assertThat(Run.one(op, Run.floats(Shape.of(1, 1, 2), 3, -4)).toDoubleArray())
                .containsExactly(5);
        assertThatThrownBy(() -> Import.op("LpPool", "kernel_shape", List.of(2L), "p", 0L))
                .isInstanceOf(ModelFormatException.class);
    }

    @Test
    void poolsWholeChannels() {
        Tensor x = Run.floats(Shape.of(1, 2, 2, 1), 3, -4, 1, 2);
        assertThat(Run.one(Import.op("GlobalAveragePool"), x).toDoubleArray()).containsExactly(-0.5, 1.5);
        assertThat(Run.one(Import.op("GlobalMaxPool"), x).toDoubleArray()).containsExactly(3, 2);
        assertThat(Run.one(Import.op("GlobalLpPool"), x).getDouble(0)).isCloseTo(5, offset(1e-6));
    }

    @Test
    void refusesPoolsThatDoNotFit() {
        Op op = Import.op("MaxPool", "kernel_shape", List.of(3L));
        assertThatThrownBy(() -> Run.one(op, Run.counting(1, 1, 2))).hasMessageContaining("kernel spans 3");
        assertThatThrownBy(() -> Run.one(op, Run.counting(1, 1, 4, 4))).hasMessageContaining("kernel_shape");
    }

    @Test
    void putsMaximaBack() {
        Op op = Import.op("MaxUnpool", "kernel_shape", List.of(2L), "strides", List.of(2L));
        Tensor x = Run.floats(Shape.of(1, 1, 2), 7, 8);
        Tensor at = Run.longs(Shape.of(1, 1, 2), 1, 2);
        assertThat(Run.one(op, x, at).toDoubleArray()).containsExactly(0, 7, 8, 0);
        assertThat(Run.one(op, x, at, Run.longs(1, 1, 5)).toDoubleArray()).containsExactly(0, 7, 8, 0, 0);
        assertThatThrownBy(() -> Run.one(op, x, Run.longs(Shape.of(1, 1, 2), 1, 9)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void poolsRegions() {
        Tensor x = Run.counting(1, 1, 4, 4);
        Op pool = Import.op("MaxRoiPool", "pooled_shape", List.of(1L, 2L));
        assertThat(Run.one(pool, x, Run.floats(Shape.of(1, 5), 0, 0, 0, 3, 1)).toDoubleArray())
                .containsExactly(5, 7);
        Op align = Import.op("RoiAlign", "output_height", 1L, "output_width", 1L, "sampling_ratio", 1L);
        Tensor y = Run.one(align, x, Run.floats(Shape.of(1, 4), 0.5, 0.5, 2.5, 2.5), Run.longs(0));
        // The centre of the region is at (1, 1) once half an element is taken off.
        assertThat(y.toDoubleArray()).containsExactly(5);
        Op auto = Import.op("RoiAlign");
        assertThatThrownBy(() -> Run.one(auto, x, Run.floats(Shape.of(1, 4), 0, 0, 1e30, 1e30), Run.longs(0)))
                .hasMessageContaining("samples");
        assertThatThrownBy(() -> Run.one(auto, x, Run.counting(1, 4), Run.longs(1)))
                .hasMessageContaining("index");
    }
}
