package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Resize, GridSample, AffineGrid, NonMaxSuppression. */
class ResamplingTest {
    private static Tensor row(double... values) {
        return Run.floats(Shape.of(1, 1, values.length), values);
    }

    @Test
    void repeatsTheNearest() {
        Tensor x = row(1, 2);
        assertThat(Run.one(Import.op("Resize"), x, null, Run.floats(1, 1, 2)).toDoubleArray())
                .containsExactly(1, 1, 2, 2);
        assertThat(Run.one(Import.version("", "Resize", 10, 2), x, Run.floats(1, 1, 1.5))
                        .toDoubleArray())
                .containsExactly(1, 1, 2);
        assertThat(Run.one(Import.version("", "Upsample", 7, 1, "scales", List.of(1f, 1f, 2f)), x)
                        .toDoubleArray())
                .containsExactly(1, 1, 2, 2);
    }

    @Test
    void interpolates() {
        Op linear = Import.op("Resize", "mode", "linear");
        assertThat(Run.one(linear, row(0, 4), null, null, Run.longs(1, 1, 4)).toDoubleArray())
                .containsExactly(0, 1, 3, 4);
        Op corners = Import.op("Resize", "mode", "linear", "coordinate_transformation_mode", "align_corners");
        assertThat(Run.one(corners, row(0, 4), null, null, Run.longs(1, 1, 5)).toDoubleArray())
                .containsExactly(0, 1, 2, 3, 4);
        Op soft = Import.op("Resize", "mode", "linear", "antialias", 1L, "axes", List.of(2L));
        // A triangle four elements wide over 0.5 weighs 8 by 3/4, and once more by 1/4 for the edge, of a sum of 2.
        assertThat(Run.one(soft, row(8, 0, 0, 0), null, null, Run.longs(2)).toDoubleArray())
                .containsExactly(new double[] {4, 0}, offset(1e-6));
    }

    @Test
    void resamplesAConstantToItself() {
        for (String mode : List.of("nearest", "linear", "cubic")) {
            for (long outside : new long[] {0, 1}) {
                Op op = Import.op("Resize", "mode", mode, "exclude_outside", outside);
                Tensor y = Run.one(op, row(3, 3, 3), null, Run.floats(1, 1, 2.3));
                assertThat(y.size()).isEqualTo(6);
                for (double v : y.toDoubleArray()) {
                    assertThat(v).isCloseTo(3, offset(1e-5));
                }
            }
        }
    }

    @Test
    void keepsTheAspectRatio() {
        Tensor x = Run.counting(1, 1, 4, 2);
        Op op = Import.op("Resize", "axes", List.of(2L, 3L), "keep_aspect_ratio_policy", "not_larger");
        assertThat(Run.one(op, x, null, null, Run.longs(8, 8)).shape()).isEqualTo(Shape.of(1, 1, 8, 4));
        Op up = Import.op("Resize", "axes", List.of(2L, 3L), "keep_aspect_ratio_policy", "not_smaller");
        assertThat(Run.one(up, x, null, null, Run.longs(8, 8)).shape()).isEqualTo(Shape.of(1, 1, 16, 8));
    }

    @Test
    void refusesBombs() {
        Op op = Import.op("Resize");
        for (float scale : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY, 1e18f}) {
            assertThatThrownBy(() -> Run.one(op, row(1, 2), null, Run.floats(1, 1, scale)))
                    .as("scale %s", scale)
                    .isInstanceOf(ShapeException.class);
        }
        assertThatThrownBy(() -> Run.one(op, row(1), null, null, Run.longs(1, 1, Long.MAX_VALUE)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(op, row(1), null, Run.floats(1, 1))).isInstanceOf(ShapeException.class);
    }

    @Test
    void samplesWhereTheGridPoints() {
        Tensor x = Run.counting(1, 1, 2, 2);
        Tensor grid = Run.floats(Shape.of(1, 1, 3, 2), 0, 0, 1, -1, 3, 0);
        Op op = Import.op("GridSample", "align_corners", 1L);
        assertThat(Run.one(op, x, grid).toDoubleArray()).containsExactly(1.5, 1, 0);
        Op border = Import.op("GridSample", "align_corners", 1L, "padding_mode", "border");
        assertThat(Run.one(border, x, grid).toDoubleArray()).containsExactly(1.5, 1, 2);
        Op reflected = Import.op("GridSample", "align_corners", 1L, "padding_mode", "reflection");
        // x = 3 is element 2, which reflects to 0.
        assertThat(Run.one(reflected, x, grid).toDoubleArray()).containsExactly(1.5, 1, 1);
        Tensor broken = Run.floats(Shape.of(1, 1, 1, 2), Double.NaN, 1e30);
        for (String padding : List.of("zeros", "border", "reflection")) {
            for (String mode : List.of("nearest", "linear", "cubic")) {
                Op any = Import.op("GridSample", "mode", mode, "padding_mode", padding);
                assertThat(Run.one(any, x, broken).size()).isEqualTo(1);
            }
        }
        assertThatThrownBy(() -> Run.one(op, x, Run.counting(1, 1, 1, 3))).isInstanceOf(ShapeException.class);
    }

    @Test
    void makesTheGridOfAnAffineMap() {
        Tensor theta = Run.floats(Shape.of(1, 2, 3), 1, 0, 10, 0, 1, 20);
        Tensor y = Run.one(Import.op("AffineGrid", "align_corners", 1L), theta, Run.longs(1, 1, 1, 2));
        assertThat(y.toDoubleArray()).containsExactly(9, 20, 11, 20);
        assertThat(Run.one(Import.op("AffineGrid"), theta, Run.longs(1, 1, 1, 2))
                        .toDoubleArray())
                .containsExactly(9.5, 20, 10.5, 20);
    }

    @Test
    void dropsOverlappingBoxes() {
        Tensor boxes = Run.floats(Shape.of(1, 3, 4), 0, 0, 2, 2, 2, 2, 0, 0, 5, 5, 6, 6);
        Tensor scores = Run.floats(Shape.of(1, 1, 3), 0.5, 0.9, Double.NaN);
        Tensor y = Run.one(Import.op("NonMaxSuppression"), boxes, scores, Run.scalar(10), Run.floats(0.5));
        assertThat(y.toLongArray()).containsExactly(0, 0, 1);
        assertThat(Run.one(Import.op("NonMaxSuppression"), boxes, scores).shape())
                .isEqualTo(Shape.of(0, 3));
        Tensor all = Run.one(
                Import.op("NonMaxSuppression", "center_point_box", 1L),
                boxes,
                Run.floats(Shape.of(1, 1, 3), 1, 2, 3),
                Run.scalar(10),
                Run.floats(0.5),
                Run.floats(1.5));
        assertThat(all.toLongArray()).containsExactly(0, 0, 2, 0, 0, 1);
    }
}
