package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Conv, ConvTranspose, FusedConv, DeformConv, CausalConvWithState, Col2Im, Gemm, FusedMatMul. */
class ConvolutionTest {
    private static final Conv PLAIN = new Conv(Window.of(List.of()), 1);

    @Test
    void convolves() {
        Tensor x = Run.counting(1, 1, 3, 3);
        Tensor w = Run.floats(Shape.of(1, 1, 2, 2), 1, 0, 0, -1);
        assertThat(Run.one(PLAIN, x, w, Run.floats(10)).toDoubleArray()).containsExactly(6, 6, 6, 6);
    }

    @Test
    void convolvesGroupsWithStrideDilationAndPads() {
        Conv conv = (Conv) Import.op(
                "Conv", "group", 2L, "strides", List.of(2L), "dilations", List.of(2L), "pads", List.of(1L, 1L));
        Tensor x = Run.floats(Shape.of(1, 2, 4), 1, 2, 3, 4, 5, 6, 7, 8);
        Tensor w = Run.floats(Shape.of(2, 1, 2), 1, 10, 1, 10);
        // Taps at -1 and 1, then 1 and 3.
        Tensor y = Run.one(conv, x, w);
        assertThat(y.shape()).isEqualTo(Shape.of(1, 2, 2));
        assertThat(y.toDoubleArray()).containsExactly(20, 42, 60, 86);
    }

    @Test
    void padsTheSameUpperAndLower() {
        Tensor x = Run.floats(Shape.of(1, 1, 3), 1, 2, 3);
        Tensor w = Run.floats(Shape.of(1, 1, 2), 1, 10);
        assertThat(Run.one(Import.op("Conv", "auto_pad", "SAME_UPPER"), x, w).toDoubleArray())
                .containsExactly(21, 32, 3);
        assertThat(Run.one(Import.op("Conv", "auto_pad", "SAME_LOWER"), x, w).toDoubleArray())
                .containsExactly(10, 21, 32);
    }

    @Test
    void keepsSymbolsThatAWindowDoesNotChange() {
        Conv same = (Conv) Import.op("Conv", "pads", List.of(1L, 1L));
        TensorType y = Run.infer(
                same,
                Map.of(),
                Run.type(DataType.FLOAT32, Dim.symbol("n"), Dim.of(4), Dim.symbol("l")),
                Run.type(DataType.FLOAT32, Dim.of(8), Dim.of(4), Dim.of(3)));
        assertThat(y.shape()).isEqualTo(SymbolicShape.of(Dim.symbol("n"), Dim.of(8), Dim.symbol("l")));
    }

    @Test
    void refusesWindowsThatDoNotFit() {
        Tensor x = Run.counting(1, 4, 2, 2);
        assertThatThrownBy(() -> Run.one(PLAIN, x, Run.counting(1, 4, 3, 3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("kernel spans 3");
        assertThatThrownBy(() -> Run.one(PLAIN, x, Run.counting(1, 3, 1, 1))).hasMessageContaining("channels");
        assertThatThrownBy(() -> Run.one(new Conv(Window.of(List.of()), 3), x, Run.counting(3, 1, 1, 1)))
                .hasMessageContaining("groups");
        assertThatThrownBy(() -> Run.one(Import.op("Conv", "pads", List.of(1L)), x, Run.counting(1, 4, 1, 1)))
                .hasMessageContaining("'pads'");
        assertThatThrownBy(() -> Import.op("Conv", "strides", List.of(0L, 1L)))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("strides");
        assertThatThrownBy(() -> Import.op("Conv", "dilations", List.of(1L << 31)))
                .isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> Import.op("Conv", "group", 0L)).isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> Import.op("Conv", "auto_pad", "ROUND")).isInstanceOf(ModelFormatException.class);
        Op wide = Import.op("Conv", "pads", List.of(2147483647L, 2147483647L, 2147483647L, 2147483647L));
        assertThatThrownBy(() -> Run.one(wide, x, Run.counting(1, 4, 1, 1))).isInstanceOf(ShapeException.class);
    }

    @Test
    void addsBiasResidualAndActivation() {
        FusedConv op = new FusedConv(PLAIN, true, Optional.of(Unary.of(UnaryFn.RELU)));
        Tensor x = Run.floats(Shape.of(1, 1, 2), 1, 2);
        Tensor w = Run.floats(Shape.of(1, 1, 1), 3);
        Tensor residual = Run.floats(Shape.of(1, 1, 2), -20, 5);
        assertThat(Run.one(op, x, w, Run.floats(1), residual).toDoubleArray()).containsExactly(0, 12);
        assertThatThrownBy(() -> Run.one(op, x, w, Run.floats(1), Run.counting(1, 1, 1)))
                .hasMessageContaining("residual");
    }

    @Test
    void transposes() {
        Tensor x = Run.floats(Shape.of(1, 1, 2), 1, 2);
        Tensor w = Run.floats(Shape.of(1, 1, 3), 1, 10, 100);
        assertThat(Run.one(Import.op("ConvTranspose", "strides", List.of(2L)), x, w, Run.floats(1000))
                        .toDoubleArray())
                .containsExactly(1001, 1010, 1102, 1020, 1200);
        assertThat(Run.one(Import.op("ConvTranspose", "strides", List.of(2L), "output_shape", List.of(4L)), x, w)
                        .toDoubleArray())
                .containsExactly(10, 102, 20, 200);
        assertThat(Run.one(Import.op("ConvTranspose", "strides", List.of(2L), "output_padding", List.of(1L)), x, w)
                        .toDoubleArray())
                .containsExactly(1, 10, 102, 20, 200, 0);
        assertThatThrownBy(() -> Run.one(Import.op("ConvTranspose", "pads", List.of(9L, 9L)), x, w))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void transposesGroups() {
        Tensor x = Run.floats(Shape.of(1, 2, 1), 2, 3);
        Tensor w = Run.floats(Shape.of(2, 2, 1), 1, 10, 100, 1000);
        assertThat(Run.one(Import.op("ConvTranspose", "group", 2L), x, w).toDoubleArray())
                .containsExactly(2, 20, 300, 3000);
    }

    @Test
    void movesTaps() {
        DeformConv op = (DeformConv) Import.op("DeformConv");
        Tensor x = Run.counting(1, 1, 2, 2);
        Tensor w = Run.floats(Shape.of(1, 1, 1, 1), 2);
        Tensor offset = Run.floats(Shape.of(1, 2, 2, 2), 0.5, 0, 0, 0, 0, 0, 0, 1);
        // The first tap lies between 0 and 2, the last one outside.
        assertThat(Run.one(op, x, w, offset).toDoubleArray()).containsExactly(2, 2, 4, 0);
        Tensor mask = Run.floats(Shape.of(1, 1, 2, 2), 0, 1, 1, 1);
        assertThat(Run.one(op, x, w, offset, Run.floats(1), mask).toDoubleArray())
                .containsExactly(1, 3, 5, 1);
        assertThatThrownBy(() -> Run.one(op, x, w, Run.counting(1, 1, 2, 2))).hasMessageContaining("offset");
    }

    @Test
    void convolvesCausally() {
        CausalConvWithState op = new CausalConvWithState(false);
        Tensor x = Run.floats(Shape.of(1, 1, 3), 1, 2, 3);
        Tensor w = Run.floats(Shape.of(1, 1, 2), 10, 1);
        List<Tensor> y = Run.all(op, x, w, null, Run.floats(Shape.of(1, 1, 1), 5));
        assertThat(y.get(0).toDoubleArray()).containsExactly(51, 12, 23);
        assertThat(y.get(1).toDoubleArray()).containsExactly(3);
    }

    @Test
    void addsColumnsBack() {
        Tensor columns = Run.floats(Shape.of(1, 2, 2), 1, 2, 10, 20);
        Tensor y = Run.one(Import.op("Col2Im"), columns, Run.longs(3), Run.longs(2));
        assertThat(y.shape()).isEqualTo(Shape.of(1, 1, 3));
        assertThat(y.toDoubleArray()).containsExactly(1, 12, 20);
        assertThatThrownBy(() -> Run.one(Import.op("Col2Im"), columns, Run.longs(4), Run.longs(2)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void multipliesAndAdds() {
        Tensor a = Run.counting(2, 3);
        Tensor b = Run.counting(2, 3);
        Op gemm = Import.op("Gemm", "transB", 1L, "alpha", 2f, "beta", 0.5f);
        assertThat(Run.one(gemm, a, b, Run.floats(2, 4)).toDoubleArray()).containsExactly(11, 30, 29, 102);
        Op ints = Import.op("Gemm", "transA", 1L);
        Tensor i = Run.longs(Shape.of(2, 1), 3, 4);
        assertThat(Run.one(ints, i, i, Run.scalar(1)).toLongArray()).containsExactly(26);
        assertThatThrownBy(() -> Run.one(gemm, a, Run.counting(2, 2))).hasMessageContaining("inner dimensions");
        assertThatThrownBy(() -> Run.one(gemm, a, b, Run.counting(3))).hasMessageContaining("broadcast");
    }

    @Test
    void multipliesSwappedBatches() {
        FusedMatMul op = new FusedMatMul(true, true, 2, true, Optional.of(Unary.of(UnaryFn.RELU)));
        Tensor a = Run.counting(1, 2, 1);
        Tensor b = Run.counting(2, 1, 2);
        Tensor y = Run.one(op, a, b, Run.floats(1), Run.floats(Shape.of(2, 1, 1), 0, -100));
        // The products are 0*0 + 1*1 and 0*2 + 1*3.
        assertThat(y.toDoubleArray()).containsExactly(3, 0);
    }
}
