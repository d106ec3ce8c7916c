package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Operators that move elements or describe shapes. */
class MovementTest {
    private static final Dim N = Dim.symbol("N");
    private static final Slice SLICE = new Slice();

    @Test
    void shapeSizeAndFlatten() {
        Tensor x = Run.counting(2, 3, 4);
        assertThat(Run.one(new ShapeOf(-2, Long.MAX_VALUE), x).toLongArray()).containsExactly(3, 4);
        assertThat(Run.one(new ShapeOf(2, 1), x).size()).isZero();
        assertThat(Run.one(new SizeOf(), x).getLong(0)).isEqualTo(24);
        assertThat(Run.one(new Flatten(-1), x).shape()).isEqualTo(Shape.of(6, 4));
        assertThat(Run.one(new Flatten(3), x).shape()).isEqualTo(Shape.of(24, 1));
        assertThatThrownBy(() -> Run.one(new Flatten(4), x)).isInstanceOf(ShapeException.class);
        assertThat(Run.inferDims(new ShapeOf(0, Long.MAX_VALUE), Map.of(), Run.type(DataType.INT8, N, Dim.of(2))))
                .contains(List.of(N, Dim.of(2)));
    }

    @Test
    void squeezeAndUnsqueeze() {
        Tensor x = Run.counting(1, 2, 1);
        assertThat(Run.one(new Squeeze(), x).shape()).isEqualTo(Shape.of(2));
        assertThat(Run.one(new Squeeze(), x, Run.longs(-1)).shape()).isEqualTo(Shape.of(1, 2));
        assertThatThrownBy(() -> Run.one(new Squeeze(), x, Run.longs(1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("not 1");
        assertThat(Run.one(new Unsqueeze(), Run.counting(2), Run.longs(2, 0)).shape())
                .isEqualTo(Shape.of(1, 2, 1));
        assertThatThrownBy(() -> Run.one(new Unsqueeze(), Run.counting(2), Run.longs(0, -3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("twice");
        assertThat(Run.infer(new Unsqueeze(), Map.of(1, Run.dims(0)), Run.type(DataType.INT8, N), Run.vector(1))
                        .shape()
                        .dims())
                .containsExactly(Dim.of(1), N);
    }

    /** Packed and text elements move like all others. */
    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"INT2", "INT4", "UINT8", "FLOAT16", "FLOAT32", "FLOAT64", "BOOL"})
    void transposesElementsOfAnySize(DataType type) {
        Tensor x = Run.of(type, Shape.of(2, 3), 0, 1, 0, 1, 1, 0);
        Tensor y = Run.one(new Transpose(List.of(1L, 0L)), x);
        assertThat(y.toDoubleArray()).containsExactly(0, 1, 1, 1, 0, 0);
    }

    @Test
    void transposesText() {
        Tensor x = Tensor.ofStrings(new String[] {"a", "b", "c", "d"}, 2, 2);
        assertThat(Run.one(new Transpose(List.of()), x).toStringArray()).containsExactly("a", "c", "b", "d");
        assertThatThrownBy(() -> Run.one(new Transpose(List.of(0L, 0L)), x))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("not a permutation");
    }

    @Test
    void concatJoinsAndChecks() {
        Tensor y = Run.one(new Concat(-1), Run.counting(2, 1), Run.counting(2, 2), Run.counting(2, 0));
        assertThat(y.toDoubleArray()).containsExactly(0, 0, 1, 1, 2, 3);
        assertThatThrownBy(() -> Run.one(new Concat(0), Run.counting(2, 1), Run.counting(2, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("differ");
        assertThat(Run.inferDims(new Concat(0), Map.of(0, List.of(N), 1, Run.dims(-1)), Run.vector(1), Run.vector(1)))
                .contains(List.of(N, Dim.of(-1)));
        assertThat(Run.infer(
                                new Concat(0),
                                Map.of(),
                                Run.type(DataType.INT8, Dim.of(2), N),
                                Run.type(DataType.INT8, Dim.of(3), Dim.of(7)))
                        .shape()
                        .dims())
                .containsExactly(Dim.of(5), Dim.of(7));
    }

    @Test
    void splitGivesTheLastPartWhatIsLeft() {
        List<Tensor> y = Run.all(new Split(0, 3), 3, Run.counting(7));
        assertThat(y).extracting(t -> t.shape().dim(0)).containsExactly(3L, 3L, 1L);
        assertThat(y.get(2).getDouble(0)).isEqualTo(6);
        List<Tensor> z = Run.all(new Split(1, 2), 2, Run.counting(2, 3), Run.longs(0, 3));
        assertThat(z.get(0).size()).isZero();
        assertThatThrownBy(() -> Run.all(new Split(0, 2), 2, Run.counting(7), Run.longs(3, 3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("sum");
        assertThatThrownBy(() -> Run.all(new Split(0, 2), 2, Run.counting(7), Run.longs(8, -1)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(
                        () -> Run.all(new Split(0, 2), 2, Run.counting(7), Run.longs(Long.MAX_VALUE, Long.MAX_VALUE)))
                .isInstanceOf(ShapeException.class);
    }

    /** Against the definition: indices start, start + step ... before end, after clamping as Python does. */
    @Property
    void sliceTakesWhatPythonTakes(
            @ForAll @IntRange(min = 0, max = 9) int n,
            @ForAll @LongRange(min = -12, max = 12) long start,
            @ForAll @LongRange(min = -12, max = 12) long end,
            @ForAll @LongRange(min = -4, max = 4) long step) {
        if (step == 0) {
            return;
        }
        long from = start < 0 ? start + n : start;
        long to = end < 0 ? end + n : end;
        List<Double> expected = new java.util.ArrayList<>();
        if (step > 0) {
            for (long i = Math.max(from, 0); i < Math.min(to, n); i += step) {
                expected.add((double) i);
            }
        } else {
            for (long i = Math.min(from, n - 1); i > Math.max(to, -1); i += step) {
                expected.add((double) i);
            }
        }
        Tensor y = Run.one(SLICE, Run.counting(n), Run.longs(start), Run.longs(end), Run.longs(0), Run.longs(step));
        assertThat(y.toDoubleArray())
                .containsExactly(
                        expected.stream().mapToDouble(Double::doubleValue).toArray());
    }

    @ParameterizedTest
    @CsvSource({
        "-9223372036854775808,9223372036854775807,1,5,0",
        "9223372036854775807,-9223372036854775808,-1,5,4",
        "0,9223372036854775807,9223372036854775807,1,0",
        "9223372036854775807,-9223372036854775808,-9223372036854775808,1,4",
        "-9223372036854775808,-9223372036854775808,1,0,0",
    })
    void sliceTakesExtremeNumbers(long start, long end, long step, long count, double first) {
        Tensor y = Run.one(SLICE, Run.counting(5), Run.longs(start), Run.longs(end), Run.longs(0), Run.longs(step));
        assertThat(y.size()).isEqualTo(count);
        if (count > 0) {
            assertThat(y.getDouble(0)).isEqualTo(first);
        }
    }

    @Test
    void sliceRejectsStepZeroAndTwoOfOneAxis() {
        assertThatThrownBy(
                        () -> Run.one(SLICE, Run.counting(5), Run.longs(0), Run.longs(5), Run.longs(0), Run.longs(0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("step 0");
        assertThatThrownBy(() -> Run.one(SLICE, Run.counting(5, 5), Run.longs(0, 0), Run.longs(1, 1), Run.longs(0, 0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("twice");
        assertThatThrownBy(() -> Run.one(SLICE, Run.counting(5), Run.longs(0, 0), Run.longs(1, 1)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void sliceOfShapesAndSymbols() {
        assertThat(Run.inferDims(
                        SLICE,
                        Map.of(0, List.of(N, Dim.of(3), Dim.of(4)), 1, Run.dims(-3), 2, Run.dims(2)),
                        Run.vector(3),
                        Run.vector(1),
                        Run.vector(1)))
                .contains(List.of(N, Dim.of(3)));
        assertThat(Run.infer(
                                SLICE,
                                Map.of(1, Run.dims(0), 2, Run.dims(Long.MAX_VALUE)),
                                Run.type(DataType.INT8, N),
                                Run.vector(1),
                                Run.vector(1))
                        .shape()
                        .dims())
                .containsExactly(N);
    }

    @Test
    void expandAndTileRepeat() {
        assertThat(Run.one(new Expand(), Run.counting(2, 1), Run.longs(2, 1, 3)).toDoubleArray())
                .containsExactly(0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1);
        assertThat(Run.one(new Tile(), Run.counting(2, 1), Run.longs(2, 2)).toDoubleArray())
                .containsExactly(0, 0, 1, 1, 0, 0, 1, 1);
        assertThat(Run.one(new Tile(), Run.counting(2), Run.longs(0)).size()).isZero();
        assertThatThrownBy(() -> Run.one(new Tile(), Run.counting(2), Run.longs(-1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("negative");
    }

    @Test
    void gatherTakesSlices() {
        Tensor x = Run.counting(3, 2);
        assertThat(Run.one(new Gather(0), x, Run.longs(2, -3)).toDoubleArray()).containsExactly(4, 5, 0, 1);
        assertThat(Run.one(new Gather(1), x, Run.scalar(-1)).toDoubleArray()).containsExactly(1, 3, 5);
        assertThat(Run.inferDims(
                        new Gather(0), Map.of(0, List.of(N, Dim.of(5)), 1, Run.dims(0)), Run.vector(2), Run.vector(1)))
                .contains(List.of(N));
    }

    @ParameterizedTest
    @CsvSource({"3", "-4", "9223372036854775807", "-9223372036854775808"})
    void indicesOutOfRangeAreRejected(long index) {
        Tensor x = Run.counting(3, 3);
        assertThatThrownBy(() -> Run.one(new Gather(0), x, Run.longs(index)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index " + index);
        assertThatThrownBy(() -> Run.one(new GatherElements(0), x, Run.longs(Shape.of(1, 1), index)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index " + index);
        assertThatThrownBy(() -> Run.one(new GatherNd(0), x, Run.longs(Shape.of(1, 2), 0, index)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index " + index);
        assertThatThrownBy(() -> Run.one(
                        new ScatterElements(0, ScatterReduction.NONE),
                        x,
                        Run.longs(Shape.of(1, 1), index),
                        Run.counting(1, 1)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index " + index);
        assertThatThrownBy(() -> Run.one(
                        new ScatterNd(ScatterReduction.ADD), x, Run.longs(Shape.of(1, 1), index), Run.counting(1, 3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("index " + index);
    }

    @Test
    void gatherAndScatterSingleElements() {
        Tensor x = Run.counting(2, 3);
        Tensor i = Run.longs(Shape.of(2, 1), 2, -2);
        assertThat(Run.one(new GatherElements(1), x, i).toDoubleArray()).containsExactly(2, 4);
        Tensor u = Run.floats(Shape.of(2, 1), 10, 20);
        assertThat(Run.one(new ScatterElements(1, ScatterReduction.NONE), x, i, u)
                        .toDoubleArray())
                .containsExactly(0, 1, 10, 3, 20, 5);
        assertThat(Run.one(new ScatterElements(1, ScatterReduction.MAX), x, i, u)
                        .toDoubleArray())
                .containsExactly(0, 1, 10, 3, 20, 5);
        assertThat(Run.one(
                                new ScatterElements(0, ScatterReduction.ADD),
                                Run.longs(1, 1),
                                Run.longs(0, 0),
                                Run.longs(5, Long.MAX_VALUE))
                        .toLongArray())
                .containsExactly(Long.MIN_VALUE + 5, 1);
    }

    @Test
    void gatherAndScatterTuples() {
        Tensor x = Run.counting(2, 2, 2);
        assertThat(Run.one(new GatherNd(0), x, Run.longs(Shape.of(1, 2), 1, 0)).toDoubleArray())
                .containsExactly(4, 5);
        assertThat(Run.one(new GatherNd(1), x, Run.longs(Shape.of(2, 1), 1, 0)).toDoubleArray())
                .containsExactly(2, 3, 4, 5);
        assertThat(Run.one(
                                new ScatterNd(ScatterReduction.MUL),
                                Run.counting(3),
                                Run.longs(Shape.of(2, 1), 2, 2),
                                Run.floats(3, 5))
                        .toDoubleArray())
                .containsExactly(0, 1, 30);
        assertThatThrownBy(() -> Run.one(new GatherNd(0), x, Run.longs(Shape.of(1, 4), 0, 0, 0, 0)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void tensorScatterWritesAtEachEntrysPosition() {
        Tensor cache = Run.floats(Shape.of(2, 3, 1), 0, 0, 0, 0, 0, 0);
        Tensor update = Run.floats(Shape.of(2, 2, 1), 1, 2, 3, 4);
        assertThat(Run.one(new TensorScatter(-2, false), cache, update, Run.longs(0, 1))
                        .toDoubleArray())
                .containsExactly(1, 2, 0, 0, 3, 4);
        assertThat(Run.one(new TensorScatter(-2, true), cache, update, Run.longs(2, 5))
                        .toDoubleArray())
                .containsExactly(2, 0, 1, 4, 0, 3);
        assertThatThrownBy(() -> Run.one(new TensorScatter(-2, false), cache, update, Run.longs(0, 2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("out of range");
    }

    @Test
    void padFillsMirrorsRepeatsAndCuts() {
        Tensor x = Run.floats(1, 2, 3);
        Tensor pads = Run.longs(2, 1);
        assertThat(Run.one(new Pad(PadMode.CONSTANT), x, pads, Run.floats(Shape.scalar(), 9))
                        .toDoubleArray())
                .containsExactly(9, 9, 1, 2, 3, 9);
        assertThat(Run.one(new Pad(PadMode.REFLECT), x, pads).toDoubleArray()).containsExactly(3, 2, 1, 2, 3, 2);
        assertThat(Run.one(new Pad(PadMode.EDGE), x, pads).toDoubleArray()).containsExactly(1, 1, 1, 2, 3, 3);
        assertThat(Run.one(new Pad(PadMode.WRAP), x, pads).toDoubleArray()).containsExactly(2, 3, 1, 2, 3, 1);
        assertThat(Run.one(new Pad(PadMode.CONSTANT), x, Run.longs(-2, 1)).toDoubleArray())
                .containsExactly(3, 0);
        assertThat(Run.one(new Pad(PadMode.CONSTANT), Run.counting(1, 2), Run.longs(1, 0), null, Run.longs(-1))
                        .toDoubleArray())
                .containsExactly(0, 0, 1);
        assertThatThrownBy(() -> Run.one(new Pad(PadMode.CONSTANT), x, Run.longs(-4, 0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("becomes -1");
        assertThatThrownBy(() -> Run.one(new Pad(PadMode.CONSTANT), x, Run.longs(Long.MIN_VALUE, 0)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(new Pad(PadMode.EDGE), Run.counting(0), Run.longs(1, 0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("no elements");
    }

    @Test
    void spaceAndDepthAreInverse() {
        Tensor x = Run.counting(1, 2, 4, 6);
        Tensor deep = Run.one(new SpaceToDepth(2), x);
        assertThat(deep.shape()).isEqualTo(Shape.of(1, 8, 2, 3));
        assertThat(Run.one(new DepthToSpace(2, false), deep).toFloatArray()).containsExactly(x.toFloatArray());
        assertThat(Run.one(new DepthToSpace(2, true), Run.counting(1, 4, 1, 1)).toDoubleArray())
                .containsExactly(0, 1, 2, 3);
        assertThatThrownBy(() -> Run.one(new SpaceToDepth(4), x)).isInstanceOf(ShapeException.class);
    }

    @Test
    void centerCropPadKeepsTheMiddle() {
        assertThat(Run.one(new CenterCropPad(List.of()), Run.floats(1, 2, 3, 4), Run.longs(1))
                        .toDoubleArray())
                .containsExactly(2);
        assertThat(Run.one(new CenterCropPad(List.of(-1L)), Run.floats(1), Run.longs(4))
                        .toDoubleArray())
                .containsExactly(0, 1, 0, 0);
        assertThatThrownBy(() -> Run.one(new CenterCropPad(List.of()), Run.floats(1), Run.longs(-1)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void trianglesForAnyDiagonal() {
        Tensor x = Run.counting(2, 2);
        assertThat(Run.one(new Trilu(true), x).toDoubleArray()).containsExactly(0, 1, 0, 3);
        assertThat(Run.one(new Trilu(false), x, Run.scalar(-1)).toDoubleArray()).containsExactly(0, 0, 2, 0);
        assertThat(Run.one(new Trilu(true), x, Run.scalar(Long.MIN_VALUE)).toDoubleArray())
                .containsExactly(0, 1, 2, 3);
        assertThat(Run.one(new Trilu(true), x, Run.scalar(Long.MAX_VALUE)).toDoubleArray())
                .containsExactly(0, 0, 0, 0);
    }

    @Test
    void reverseSequenceLeavesTheRest() {
        Tensor y = Run.one(new ReverseSequence(1, 0), Run.counting(2, 3), Run.longs(2, 3));
        assertThat(y.toDoubleArray()).containsExactly(1, 0, 2, 5, 4, 3);
        assertThatThrownBy(() -> Run.one(new ReverseSequence(1, 0), Run.counting(2, 3), Run.longs(4, 0)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("length 4");
    }

    @Test
    void selectsByCondition() {
        Tensor x = Run.counting(2, 3);
        assertThat(Run.one(new Compress(Optional.of(1L)), x, Run.booleans(false, true))
                        .toDoubleArray())
                .containsExactly(1, 4);
        assertThat(Run.one(new Compress(Optional.empty()), x, Run.booleans(true, false, false, true))
                        .toDoubleArray())
                .containsExactly(0, 3);
        assertThat(Run.one(new NonZero(), Run.floats(Shape.of(2, 2), 0, Double.NaN, 1, -0.0))
                        .toLongArray())
                .containsExactly(0, 1, 1, 0);
    }

    @Test
    void uniqueElementsAndSlices() {
        List<Tensor> y = Run.all(new Unique(Optional.empty(), false), Run.longs(3, 1, 3, 2));
        assertThat(y.get(0).toLongArray()).containsExactly(3, 1, 2);
        assertThat(y.get(1).toLongArray()).containsExactly(0, 1, 3);
        assertThat(y.get(2).toLongArray()).containsExactly(0, 1, 0, 2);
        assertThat(y.get(3).toLongArray()).containsExactly(2, 1, 1);
        Tensor x = Run.floats(Shape.of(2, 3), 2, 1, 2, 0, 0, 0);
        assertThat(Run.one(new Unique(Optional.of(1L), true), x).toDoubleArray())
                .containsExactly(1, 2, 0, 0);
        assertThat(Run.one(new Unique(Optional.empty(), true), Run.floats(Double.NaN, Double.NaN, 0, -0.0))
                        .size())
                .isEqualTo(3);
        assertThat(Run.one(new Unique(Optional.empty(), true), Tensor.ofStrings(new String[] {"b", "a", "b"}, 3))
                        .toStringArray())
                .containsExactly("a", "b");
    }

    @Test
    void identityIsTheInput() {
        Tensor x = Run.floats(1);
        assertThat(Run.one(new Identity(), x)).isSameAs(x);
    }

    @Test
    void unrankedInputsStayUnranked() {
        TensorType any = TensorType.unranked(DataType.FLOAT32);
        assertThat(Run.infer(new Transpose(List.of(1L, 0L)), Map.of(), any)
                        .shape()
                        .rank())
                .isEqualTo(2);
        assertThat(Run.infer(new Gather(0), Map.of(), any, Run.vector(1)).shape())
                .isEqualTo(SymbolicShape.UNRANKED);
        assertThat(Run.infer(new Flatten(1), Map.of(), any).shape().rank()).isEqualTo(2);
        assertThat(Run.infer(new Squeeze(), Map.of(), any).shape().isRanked()).isFalse();
    }
}
