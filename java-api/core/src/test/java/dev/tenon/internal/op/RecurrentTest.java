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
import dev.tenon.internal.ir.TensorType;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RNN, GRU, LSTM. */
class RecurrentTest {
    private static Tensor cube(double... values) {
        return Run.floats(Shape.of(1, values.length, 1), values);
    }

    private static Tensor steps(double... values) {
        return Run.floats(Shape.of(values.length, 1, 1), values);
    }

    @Test
    void addsUp() {
        Op op = Import.op("RNN", "activations", List.of("Affine"), "hidden_size", 1L);
        List<Tensor> y = Run.all(op, steps(1, 2, 3), cube(1), cube(10));
        assertThat(y.get(0).toDoubleArray()).containsExactly(1, 12, 123);
        assertThat(y.get(1).toDoubleArray()).containsExactly(123);
    }

    @Test
    void runsBothWaysAndStopsAtTheLengths() {
        Op op = Import.op(
                "RNN", "activations", List.of("Affine", "Affine"), "direction", "bidirectional", "layout", 1L);
        Tensor w = Run.floats(Shape.of(2, 1, 1), 1, 1);
        Tensor r = Run.floats(Shape.of(2, 1, 1), 10, 10);
        Tensor x = Run.floats(Shape.of(1, 3, 1), 1, 2, 3);
        List<Tensor> y = Run.all(op, x, w, r, null, Run.ints(DataType.INT32, 2));
        assertThat(y.get(0).shape()).isEqualTo(Shape.of(1, 3, 2, 1));
        assertThat(y.get(0).toDoubleArray()).containsExactly(1, 21, 12, 2, 0, 0);
        assertThat(y.get(1).toDoubleArray()).containsExactly(12, 21);
        assertThatThrownBy(() -> Run.all(op, x, w, r, null, Run.ints(DataType.INT32, 4)))
                .hasMessageContaining("length 4");
    }

    @Test
    void gates() {
        // Both gates are linear: z = x, r = 0, so h' = (1 - x) x + x h.
        Op op = Import.op("GRU", "activations", List.of("Affine", "Affine"));
        Tensor w = cube(1, 0, 1);
        Tensor r = cube(0, 0, 7);
        Tensor y = Run.one(op, steps(0.5), w, r, null, null, Run.floats(Shape.of(1, 1, 1), 4));
        assertThat(y.toDoubleArray()).containsExactly(2.25);
        // With the reset after the product its bias takes part: r = 1 adds 3 to the candidate.
        Op after = Import.op("GRU", "activations", List.of("Affine", "Affine"), "linear_before_reset", 1L);
        Tensor b = Run.floats(Shape.of(1, 6), 0, 1, 0, 0, 0, 3);
        assertThat(Run.one(after, steps(0.5), w, cube(0, 0, 0), b).toDoubleArray())
                .containsExactly(1.75);
    }

    @Test
    void remembers() {
        Op op = Import.op("LSTM", "activations", List.of("Affine", "Affine", "Affine"));
        // i = x, o = 1, f = 2, c~ = x: c = 2 * 3 + x * x, h = c.
        Tensor w = cube(1, 0, 0, 1);
        Tensor b = Run.floats(Shape.of(1, 8), 0, 1, 2, 0, 0, 0, 0, 0);
        Tensor state = Run.floats(Shape.of(1, 1, 1), 3);
        Tensor zero = Run.floats(Shape.of(1, 1, 1), 0);
        List<Tensor> y = Run.all(op, steps(5), w, cube(0, 0, 0, 0), b, null, zero, state);
        assertThat(y.get(0).toDoubleArray()).containsExactly(31);
        assertThat(y.get(2).toDoubleArray()).containsExactly(31);
        Tensor peepholes = Run.floats(Shape.of(1, 3), 1, 0, 0);
        // The input gate sees the old cell: (5 + 3) * 5 + 6.
        assertThat(Run.one(op, steps(5), w, cube(0, 0, 0, 0), b, null, zero, state, peepholes)
                        .toDoubleArray())
                .containsExactly(46);
    }

    @Test
    void takesParametersOfActivationsInOrder() {
        Op op = Import.op(
                "GRU",
                "activations",
                List.of("HardSigmoid", "LeakyRelu"),
                "activation_alpha",
                List.of(0.5f, 0.25f),
                "activation_beta",
                List.of(0.125f));
        assertThat(((Recurrent) op).activations())
                .containsExactly(
                        new Recurrent.Activation("hardsigmoid", 0.5f, 0.125f),
                        new Recurrent.Activation("leakyrelu", 0.25f, 0));
        assertThatThrownBy(() -> Import.op("RNN", "activations", List.of("Cosine")))
                .isInstanceOf(ModelFormatException.class);
        assertThatThrownBy(() -> Import.op("LSTM", "activations", List.of("Tanh")))
                .isInstanceOf(ModelFormatException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "relu,-1,0",
        "affine,2,7",
        "leakyrelu,-2,-6",
        "thresholdedrelu,2.5,0",
        "scaledtanh,0,0",
        "hardsigmoid,-1,0",
        "elu,0,0",
        "softsign,1,0.5",
        "sigmoid,0,0.5",
        "tanh,0,0",
        "softplus,0,0.6931471805599453"
    })
    void activates(String name, double x, double expected) {
        assertThat(new Recurrent.Activation(name, 3, 1).apply(x)).isCloseTo(expected, offset(1e-12));
    }

    @Test
    void clipsWhatGoesIntoActivations() {
        Op op = Import.op("RNN", "activations", List.of("Affine"), "clip", 2f);
        assertThat(Run.one(op, steps(5, -9), cube(1), cube(0)).toDoubleArray()).containsExactly(2, -2);
    }

    /** Shapes that are known are checked before the layer runs: rewrites rely on them. */
    @Test
    void refusesInputsThatDoNotFit() {
        Op lstm = Import.op("LSTM", "direction", "bidirectional");
        TensorType x = floats(5, 3, 2);
        TensorType w = floats(2, 16, 2);
        TensorType r = floats(2, 16, 4);
        TensorType state = floats(2, 3, 4);
        TensorType lengths = TensorType.of(DataType.INT32, Shape.of(3));
        Run.infer(lstm, Map.of(), x, w, r, floats(2, 32), lengths, state, state, floats(2, 12));
        Run.infer(lstm, Map.of(), x, w, r, TensorType.unranked(DataType.FLOAT32), null, null, state);
        refuses("input 3 has shape 1x32; expected 2x32", lstm, x, w, r, floats(1, 32));
        refuses("input 3 has shape 64", lstm, x, w, r, floats(64));
        refuses("input 3 has element type", lstm, x, w, r, TensorType.of(DataType.FLOAT64, Shape.of(2, 32)));
        refuses("input 4 has shape 2; expected 3", lstm, x, w, r, null, TensorType.of(DataType.INT32, Shape.of(2)));
        refuses("input 4 has element type", lstm, x, w, r, null, TensorType.of(DataType.INT64, Shape.of(3)));
        refuses("input 5 has shape 3x2x4; expected 2x3x4", lstm, x, w, r, null, null, floats(3, 2, 4));
        refuses("input 6 has shape 2x3x5", lstm, x, w, r, null, null, null, floats(2, 3, 5));
        refuses("input 7 has shape 1x12; expected 2x12", lstm, x, w, r, null, null, null, null, floats(1, 12));

        Op gru = Import.op("GRU", "linear_before_reset", 1L);
        TensorType three = floats(1, 12, 4);
        refuses("only an LSTM", gru, x, floats(1, 12, 2), three, null, null, null, floats(1, 3, 4));
        refuses("only an LSTM", gru, x, floats(1, 12, 2), three, null, null, null, null, floats(1, 12));

        Op steps = new RecurrentSteps(Recurrent.Cell.GRU, false);
        TensorType gates = floats(5, 3, 12);
        TensorType weights = floats(12, 4);
        Run.infer(steps, Map.of(), gates, weights, floats(12), lengths, floats(3, 4));
        refuses("input 0 has shape 5x3x16; expected 5x3x12", steps, floats(5, 3, 16), weights);
        refuses("input 1 has shape 16x4; expected 12x4", steps, gates, floats(16, 4));
        refuses("input 2 has shape 16; expected 12", steps, gates, weights, floats(16));
        refuses("input 4 has shape 2x4; expected 3x4", steps, gates, weights, null, null, floats(2, 4));
    }

    private static TensorType floats(long... dims) {
        return TensorType.of(DataType.FLOAT32, Shape.of(dims));
    }

    private static void refuses(String message, Op op, @Nullable TensorType... inputs) {
        assertThatThrownBy(() -> Run.infer(op, Map.of(), inputs))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining(message);
    }
}
