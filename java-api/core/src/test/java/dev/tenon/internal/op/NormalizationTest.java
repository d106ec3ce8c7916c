package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class NormalizationTest {
    private static final double ROOT = Math.sqrt(1.5);

    private static void assertClose(Tensor y, double... expected) {
        assertThat(y.toDoubleArray()).hasSize(expected.length);
        for (int i = 0; i < expected.length; i++) {
            assertThat(y.getDouble(i)).isCloseTo(expected[i], within(1e-5));
        }
    }

    @Test
    void layerNormCentersAndScalesRows() {
        Tensor x = Run.floats(Shape.of(2, 3), 1, 2, 3, 5, 5, 5);
        Tensor scale = Run.floats(1, 2, 1);
        List<Tensor> y = Run.all(new LayerNorm(-1, 0), x.reshaped(Shape.of(2, 3)), scale, Run.floats(0, 0, 10));
        assertThat(y.get(0).getDouble(0)).isCloseTo(-ROOT, within(1e-5));
        assertThat(y.get(0).getDouble(2)).isCloseTo(10 + ROOT, within(1e-5));
        assertThat(y.get(0).getDouble(3)).isNaN();
        assertClose(y.get(1), 2, 5);
        assertThat(y.get(1).shape()).isEqualTo(Shape.of(2, 1));
        assertThat(y.get(2).getDouble(0)).isCloseTo(ROOT, within(1e-5));
        assertThatThrownBy(() -> Run.one(new LayerNorm(-1, 0), x, Run.floats(1, 2)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(new LayerNorm(-1, 0), x, Run.counting(5, 2, 3)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("does not broadcast");
    }

    @Test
    void addLayerNormIsTheSumThenTheNorm() {
        Tensor x = Run.floats(Shape.of(1, 3), 1, 1, 1);
        Tensor r = Run.floats(Shape.of(1, 3), 0, 1, 2);
        List<Tensor> y = Run.all(new AddLayerNorm(1, 0), x, r, Run.floats(1, 1, 1), null);
        assertClose(y.get(0), -ROOT, 0, ROOT);
        assertThat(y.get(1).toDoubleArray()).containsExactly(1, 2, 3);
    }

    @Test
    void rmsNormDividesByTheRootMeanSquare() {
        assertClose(
                Run.one(new RmsNorm(-1, 0), Run.floats(3, 4), Run.floats(1, 2)),
                3 / Math.sqrt(12.5),
                8 / Math.sqrt(12.5));
    }

    @Test
    void batchNormUsesGivenOrBatchStatistics() {
        Tensor x = Run.floats(Shape.of(2, 1, 2), 1, 2, 3, 4);
        Tensor one = Run.floats(1);
        Tensor y = Run.one(new BatchNorm(0, 0.9f, false), x, Run.floats(2), one, Run.floats(1), Run.floats(4));
        assertClose(y, 1, 2, 3, 4);
        List<Tensor> t = Run.all(new BatchNorm(0, 0.5f, true), x, one, Run.floats(0), Run.floats(0), one);
        assertThat(t.get(0).getDouble(0)).isCloseTo(-1.5 / Math.sqrt(1.25), within(1e-5));
        assertClose(t.get(1), 1.25);
        assertClose(t.get(2), 1.125);
        assertThatThrownBy(() -> Run.one(new BatchNorm(0, 0, false), x, Run.floats(1, 2), one, one, one))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("channels");
    }

    @Test
    void groupAndInstanceNorm() {
        Tensor x = Run.floats(Shape.of(1, 4, 1), 1, 3, 10, 20);
        Tensor ones = Run.floats(1, 1, 1, 1);
        assertClose(Run.one(new GroupNorm(2, 0, false), x, ones, Run.floats(0, 0, 0, 5)), -1, 1, -1, 6);
        assertClose(Run.one(new GroupNorm(2, 0, true), x, Run.floats(1, 2), Run.floats(0, 1)), -1, 1, -1, 3);
        assertClose(Run.one(new GroupNorm(0, 1, false), x, ones, ones), 1, 1, 1, 1);
        assertThatThrownBy(() -> Run.one(new GroupNorm(3, 0, false), x, ones, ones))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("do not divide");
    }

    @Test
    void lpNormLeavesZeroVectors() {
        Tensor x = Run.floats(Shape.of(2, 2), 3, 4, 0, 0);
        assertClose(Run.one(new LpNorm(1, 2), x), 0.6, 0.8, 0, 0);
        assertClose(Run.one(new LpNorm(0, 1), x), 1, 1, 0, 0);
    }

    @Test
    void meanVarianceNormOverAnyAxes() {
        Tensor x = Run.floats(Shape.of(2, 2), 1, 10, 3, 30);
        assertClose(Run.one(new MeanVarianceNorm(List.of(0L)), x), -1, -1, 1, 1);
        assertThatThrownBy(() -> Run.one(new MeanVarianceNorm(List.of(2L)), x)).isInstanceOf(ShapeException.class);
    }

    @Test
    void localResponseLooksAtNeighbourChannels() {
        Tensor x = Run.floats(Shape.of(1, 3), 1, 2, 3);
        // Size 2: the channel itself and the one after it.
        assertClose(Run.one(new Lrn(2, 2, 1, 0), x), 1 / 5.0, 2 / 13.0, 3 / 9.0);
    }

    @Test
    void lossesWeighAndIgnore() {
        Tensor logs = Run.floats(Shape.of(3, 2), -1, -2, -3, -4, -5, -6);
        Tensor target = Run.longs(0, 1, -7);
        Tensor weights = Run.floats(1, 3);
        Optional<Long> ignored = Optional.of(-7L);
        assertClose(
                Run.one(new NegativeLogLikelihoodLoss(LossReduction.NONE, ignored), logs, target, weights), 1, 12, 0);
        assertClose(
                Run.one(new NegativeLogLikelihoodLoss(LossReduction.MEAN, ignored), logs, target, weights), 13 / 4.0);
        assertThatThrownBy(() -> Run.one(
                        new NegativeLogLikelihoodLoss(LossReduction.SUM, Optional.empty()), logs, target, weights))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("target -7");
        List<Tensor> y = Run.all(
                new SoftmaxCrossEntropyLoss(LossReduction.SUM, Optional.empty()),
                Run.floats(Shape.of(1, 2), 0, 0),
                Run.longs(1));
        assertClose(y.get(0), Math.log(2));
        assertClose(y.get(1), -Math.log(2), -Math.log(2));
    }
}
