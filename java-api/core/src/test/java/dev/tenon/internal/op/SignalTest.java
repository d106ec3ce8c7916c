package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Op;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DFT, STFT, windows, MelWeightMatrix, and random numbers. */
class SignalTest {
    @ParameterizedTest
    @CsvSource({"1", "2", "3", "4", "5", "7", "8", "12", "31", "64", "100"})
    void transformsEveryLengthAsTheSumSays(int n) {
        double[] re = new double[n];
        double[] im = new double[n];
        for (int i = 0; i < n; i++) {
            re[i] = Math.sin(i * 1.3) + i % 3;
            im[i] = Math.cos(i * 0.7);
        }
        double[] x = re.clone();
        double[] y = im.clone();
        Fourier.transform(re, im, false);
        for (int k = 0; k < n; k++) {
            double sumRe = 0;
            double sumIm = 0;
            for (int i = 0; i < n; i++) {
                double angle = -2 * Math.PI * k * i / n;
                sumRe += x[i] * Math.cos(angle) - y[i] * Math.sin(angle);
                sumIm += x[i] * Math.sin(angle) + y[i] * Math.cos(angle);
            }
            assertThat(re[k]).isCloseTo(sumRe, offset(1e-10));
            assertThat(im[k]).isCloseTo(sumIm, offset(1e-10));
        }
        Fourier.transform(re, im, true);
        assertThat(re).containsExactly(x, offset(1e-12));
        assertThat(im).containsExactly(y, offset(1e-12));
    }

    @Test
    void transformsAlongAnAxisAndBack() {
        Tensor x = Run.floats(Shape.of(1, 4, 1), 1, 2, 3, 4);
        Tensor y = Run.one(new Dft(false, true), x);
        assertThat(y.shape()).isEqualTo(Shape.of(1, 3, 2));
        assertThat(y.toDoubleArray()).containsExactly(new double[] {10, 0, -2, 2, -2, 0}, offset(1e-6));
        assertThat(Run.one(new Dft(true, true), y).toDoubleArray())
                .containsExactly(new double[] {1, 2, 3, 4}, offset(1e-6));
        Tensor padded = Run.one(new Dft(false, false), x, Run.scalar(2), Run.scalar(1));
        assertThat(padded.toDoubleArray()).containsExactly(new double[] {3, 0, -1, 0}, offset(1e-6));
        assertThatThrownBy(() -> Run.one(new Dft(false, false), x, Run.scalar(1L << 40)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(new Dft(false, false), x, null, Run.scalar(2)))
                .hasMessageContaining("last axis");
    }

    @Test
    void transformsFrames() {
        Tensor x = Run.floats(Shape.of(1, 4, 1), 1, 1, 1, 2);
        Tensor y = Run.one(new Stft(true), x, Run.scalar(2), Run.floats(1, 10));
        assertThat(y.shape()).isEqualTo(Shape.of(1, 2, 2, 2));
        assertThat(y.toDoubleArray()).containsExactly(new double[] {11, 0, -9, 0, 21, 0, -19, 0}, offset(1e-5));
        assertThatThrownBy(() -> Run.one(new Stft(true), x, Run.scalar(0), Run.floats(1, 1)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(new Stft(true), x, Run.scalar(1), null, Run.scalar(9)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void makesWindows() {
        assertThat(Run.one(Import.op("HannWindow"), Run.scalar(4)).toDoubleArray())
                .containsExactly(new double[] {0, 0.5, 1, 0.5}, offset(1e-6));
        assertThat(Run.one(Import.op("HammingWindow", "periodic", 0L), Run.scalar(3))
                        .toDoubleArray())
                .containsExactly(new double[] {4.0 / 46, 1, 4.0 / 46}, offset(1e-6));
        assertThat(Run.one(Import.op("BlackmanWindow", "periodic", 0L), Run.scalar(3))
                        .toDoubleArray())
                .containsExactly(new double[] {0, 1, 0}, offset(1e-6));
        assertThatThrownBy(() -> Run.one(Import.op("HannWindow"), Run.scalar(-1)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void makesTrianglesOnTheMelScale() {
        Tensor y = Run.one(
                Import.op("MelWeightMatrix"),
                Run.scalar(2),
                Run.scalar(8),
                Run.scalar(8000),
                Run.floats(Shape.scalar(), 0),
                Run.floats(Shape.scalar(), 4000));
        assertThat(y.shape()).isEqualTo(Shape.of(5, 2));
        // Edges at 0, 458, 1218 hertz and so on fall in bins 0, 0, 1, 2: each band has its peak where its edges meet.
        assertThat(y.toDoubleArray()).containsExactly(1, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void drawsTheSameNumbersForOneSeed() {
        Op normal = Import.op("RandomNormal", "shape", List.of(20_000L), "mean", 3f, "scale", 2f, "seed", 7f);
        double[] a = Run.one(normal).toDoubleArray();
        assertThat(Run.one(normal).toDoubleArray()).isEqualTo(a);
        double mean = Arrays.stream(a).average().orElseThrow();
        double variance =
                Arrays.stream(a).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        assertThat(mean).isCloseTo(3, offset(0.1));
        assertThat(variance).isCloseTo(4, offset(0.2));
        assertThat(normal.isDeterministic()).isFalse();
        Tensor uniform = Run.one(
                Import.op("RandomUniformLike", "low", 2f, "high", 3f, "dtype", (long) DataType.FLOAT64.code()),
                Run.counting(100));
        assertThat(uniform.type()).isEqualTo(DataType.FLOAT64);
        assertThat(Arrays.stream(uniform.toDoubleArray())).allMatch(v -> v >= 2 && v < 3);
        assertThatThrownBy(() -> Run.one(Import.op("RandomNormal", "shape", List.of(1L << 60))))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void drawsByProbability() {
        Tensor p = Run.floats(0, 1, 0, 1);
        assertThat(Run.one(Import.op("Bernoulli"), p).toDoubleArray()).containsExactly(0, 1, 0, 1);
        assertThatThrownBy(() -> Run.one(Import.op("Bernoulli"), Run.floats(1.5)))
                .hasMessageContaining("probability");
        Tensor logs = Run.floats(Shape.of(1, 3), Double.NEGATIVE_INFINITY, 0, Double.NEGATIVE_INFINITY);
        assertThat(Run.one(Import.op("Multinomial", "sample_size", 3L), logs).toLongArray())
                .containsExactly(1, 1, 1);
    }
}
