package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Attention, FusedAttention, FlexAttention, LinearAttention, RotaryEmbedding. */
class AttentionTest {
    private static final double LN3 = Math.log(3);

    private static Op attention(Object... attributes) {
        return Import.version("", "Attention", 24, 3, attributes);
    }

    @Test
    void weighsValuesBySoftmax() {
        Tensor q = Run.floats(Shape.of(1, 1, 1, 1), LN3);
        Tensor k = Run.floats(Shape.of(1, 1, 2, 1), 1, 0);
        Tensor v = Run.floats(Shape.of(1, 1, 2, 1), 8, 4);
        // Weights 3/4 and 1/4.
        assertThat(Run.one(attention(), q, k, v).getDouble(0)).isCloseTo(7, offset(1e-6));
        Tensor mask = Run.of(DataType.BOOL, Shape.of(1, 2), 0, 1);
        assertThat(Run.one(attention(), q, k, v, mask).getDouble(0)).isEqualTo(4);
        Tensor nothing = Run.of(DataType.BOOL, Shape.of(1, 2), 0, 0);
        assertThat(Run.one(attention(), q, k, v, nothing).getDouble(0)).isZero();
    }

    @Test
    void looksBackOnlyAndKeepsThePast() {
        Tensor q = Run.floats(Shape.of(1, 1, 2, 1), 0, 0);
        Tensor kv = Run.floats(Shape.of(1, 1, 2, 1), 2, 4);
        Tensor past = Run.floats(Shape.of(1, 1, 1, 1), 6);
        List<Tensor> y = Run.all(attention("is_causal", 1L), q, kv, kv, null, past, past);
        // Equal scores: the mean of 6, 2 and of 6, 2, 4.
        assertThat(y.get(0).toDoubleArray()).containsExactly(4, 4);
        assertThat(y.get(1).toDoubleArray()).containsExactly(6, 2, 4);
        assertThat(y.get(3).shape()).isEqualTo(Shape.of(1, 1, 2, 3));
    }

    @Test
    void sharesKeysAmongQueryHeads() {
        Tensor q = Run.floats(Shape.of(1, 1, 4), 0, 0, 0, 0);
        Tensor kv = Run.floats(Shape.of(1, 2, 2), 1, 10, 3, 30);
        Tensor y = Run.one(attention("q_num_heads", 4L, "kv_num_heads", 2L), q, kv, kv);
        assertThat(y.shape()).isEqualTo(Shape.of(1, 1, 4));
        assertThat(y.toDoubleArray()).containsExactly(2, 2, 20, 20);
        assertThatThrownBy(() -> Run.one(attention("q_num_heads", 4L, "kv_num_heads", 3L), q, kv, kv))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> Run.one(attention(), q, kv, kv)).hasMessageContaining("q_num_heads");
    }

    @Test
    void fusesEveryLayout() {
        Tensor q = Run.counting(2, 2, 3, 4);
        Tensor kv = Run.counting(2, 2, 3, 4);
        Tensor expected = Run.one(attention("scale", 0.01f), q, kv, kv);
        for (HeadLayout layout : List.of(HeadLayout.HEADS_FIRST, HeadLayout.LENGTH_FIRST)) {
            Heads heads = Heads.of(q, HeadLayout.HEADS_FIRST);
            Tensor moved = Run.of(DataType.FLOAT32, Shape.of(layout.dims(2, 2, 3, 4)), reordered(heads, layout));
            Tensor keys = Run.of(DataType.FLOAT32, Shape.of(2, 2, 4, 3), reordered(heads, HeadLayout.TRANSPOSED));
            FusedAttention op =
                    new FusedAttention(0.01f, false, layout, HeadLayout.TRANSPOSED, layout, HeadLayout.HEADS_FIRST);
            assertThat(Run.one(op, moved, keys, moved).toDoubleArray())
                    .containsExactly(expected.toDoubleArray(), offset(1e-4));
        }
    }

    private static double[] reordered(Heads h, HeadLayout layout) {
        double[] out = new double[h.data().length];
        long[] strides = Shape.of(layout.dims(h.batch(), h.heads(), h.length(), h.size()))
                .strides();
        int i = 0;
        for (int b = 0; b < h.batch(); b++) {
            for (int n = 0; n < h.heads(); n++) {
                for (int s = 0; s < h.length(); s++) {
                    for (int d = 0; d < h.size(); d++) {
                        long at = b * strides[0]
                                + n * strides[layout.heads]
                                + s * strides[layout.length]
                                + d * strides[layout.size];
                        out[(int) at] = h.data()[i++];
                    }
                }
            }
        }
        return out;
    }

    @Test
    void hidesLaterKeysFromFusedQueries() {
        FusedAttention op = new FusedAttention(
                1,
                true,
                HeadLayout.HEADS_FIRST,
                HeadLayout.HEADS_FIRST,
                HeadLayout.HEADS_FIRST,
                HeadLayout.LENGTH_FIRST);
        Tensor q = Run.floats(Shape.of(1, 1, 2, 1), 0, 0);
        Tensor kv = Run.floats(Shape.of(1, 1, 3, 1), 2, 4, 9);
        Tensor mask = Run.floats(Shape.of(1, 3), Double.NEGATIVE_INFINITY, 0, 0);
        assertThat(Run.one(op, q, kv, kv).toDoubleArray()).containsExactly(3, 5);
        assertThat(Run.one(op, q, kv, kv, mask).toDoubleArray()).containsExactly(4, 6.5);
    }

    @Test
    void letsABodyChangeTheScores() {
        Value in = new Value("scores", TensorType.unranked(DataType.FLOAT32));
        Value out = new Value("changed", TensorType.unranked(DataType.FLOAT32));
        Graph body = new Graph(
                "negate",
                List.of(in),
                List.of(out),
                Map.of(),
                List.of(new Node(Unary.of(UnaryFn.NEG), List.of(in), List.of(out), "neg")));
        FlexAttention op = new FlexAttention(Float.NaN, Optional.empty(), Optional.of(body), Optional.empty());
        Tensor q = Run.floats(Shape.of(1, 1, 1, 1), LN3);
        Tensor k = Run.floats(Shape.of(1, 1, 2, 1), 1, 0);
        Tensor v = Run.floats(Shape.of(1, 1, 2, 1), 8, 4);
        assertThat(Run.one(op, q, k, v).getDouble(0)).isCloseTo(5, offset(1e-6));
    }

    @Test
    void recursOverAState() {
        Tensor q = Run.floats(Shape.of(1, 2, 1), 1, 1);
        Tensor k = Run.floats(Shape.of(1, 2, 1), 1, 2);
        Tensor v = Run.floats(Shape.of(1, 2, 1), 3, 5);
        Tensor half = Run.floats(Shape.of(1, 2, 1), Math.log(0.5), Math.log(0.5));
        Tensor one = Run.floats(Shape.of(1, 2, 1), 1, 1);
        assertThat(Run.one(new LinearAttention(1, 1, 1, false, false), q, k, v).toDoubleArray())
                .containsExactly(3, 13);
        assertThat(Run.one(new LinearAttention(1, 1, 1, true, false), q, k, v, null, half)
                        .toDoubleArray())
                .containsExactly(new double[] {3, 11.5}, offset(1e-6));
        // delta: 5 - 3 * 2 = -1 is written with key 2.
        List<Tensor> delta = Run.all(new LinearAttention(1, 1, 1, false, true), q, k, v, null, null, one);
        assertThat(delta.get(0).toDoubleArray()).containsExactly(3, 1);
        assertThat(delta.get(1).toDoubleArray()).containsExactly(1);
    }

    @Test
    void turnsPairs() {
        Tensor x = Run.floats(Shape.of(1, 1, 1, 4), 1, 2, 3, 4);
        Tensor cos = Run.floats(Shape.of(2, 2), 1, 1, 0, 0);
        Tensor sin = Run.floats(Shape.of(2, 2), 0, 0, 1, 1);
        Tensor at = Run.longs(Shape.of(1, 1), 1);
        assertThat(Run.one(new RotaryEmbedding(false, 0, 0), x, cos, sin, at).toDoubleArray())
                .containsExactly(-3, -4, 1, 2);
        assertThat(Run.one(new RotaryEmbedding(true, 0, 0), x, cos, sin, at).toDoubleArray())
                .containsExactly(-2, 1, -4, 3);
        assertThatThrownBy(() -> Run.one(new RotaryEmbedding(true, 0, 0), x, cos, sin, Run.longs(Shape.of(1, 1), 2)))
                .hasMessageContaining("position 2");
    }
}
