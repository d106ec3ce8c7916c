package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Sequence and optional operators. */
class SequenceTest {
    private static final MemoryScope SCOPE = MemoryScope.shared("sequence tests");

    private static Datum run(Op op, Datum... inputs) {
        List<Value> values = new ArrayList<>();
        for (Datum d : inputs) {
            values.add(d == null ? Value.ABSENT : new Value("i" + values.size(), type(d)));
        }
        Node node = new Node(op, values, List.of(new Value("o", TensorType.unranked(DataType.FLOAT32))), "test");
        op.infer(new Inference(node, v -> Optional.empty(), v -> Optional.empty()));
        return Interpreter.evaluate(node, Arrays.asList(inputs), SCOPE).getFirst();
    }

    private static ValueType type(Datum d) {
        return switch (d) {
            case Tensor t -> TensorType.of(t.type(), t.shape());
            case TensorSequence s -> new SequenceType(TensorType.unranked(DataType.FLOAT32));
            case OptionalDatum o -> new OptionalType(TensorType.unranked(DataType.FLOAT32));
        };
    }

    private static TensorSequence sequence(Tensor... items) {
        return new TensorSequence(List.of(items));
    }

    private static final Tensor A = Run.floats(1, 2);
    private static final Tensor B = Run.floats(3, 4);
    private static final Tensor C = Run.floats(5);

    @Test
    void constructsAndEdits() {
        assertThat(run(new SequenceConstruct(), A, B)).isEqualTo(sequence(A, B));
        assertThat(run(new SequenceEmpty(DataType.FLOAT32))).isEqualTo(sequence());
        assertThat(run(new SequenceEdit(true), sequence(A, B), C)).isEqualTo(sequence(A, B, C));
        assertThat(run(new SequenceEdit(true), sequence(A, B), C, Run.scalar(-2)))
                .isEqualTo(sequence(C, A, B));
        assertThat(run(new SequenceEdit(false), sequence(A, B))).isEqualTo(sequence(A));
        assertThat(run(new SequenceEdit(false), sequence(A, B), Run.scalar(0))).isEqualTo(sequence(B));
        assertThat(((Tensor) run(new SequenceLength(), sequence(A, B))).getLong(0))
                .isEqualTo(2);
    }

    @Test
    void findsElements() {
        assertThat(run(new SequenceAt(), sequence(A, B), Run.scalar(-1))).isSameAs(B);
        assertThatThrownBy(() -> run(new SequenceAt(), sequence(A, B), Run.scalar(2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("position 2");
        assertThatThrownBy(() -> run(new SequenceAt(), sequence(A), Run.scalar(Long.MIN_VALUE)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> run(new SequenceEdit(false), sequence())).hasMessageContaining("empty");
    }

    @Test
    void joins() {
        Tensor flat = (Tensor) run(new ConcatFromSequence(0, false), sequence(A, B, C));
        assertThat(flat.toDoubleArray()).containsExactly(1, 2, 3, 4, 5);
        Tensor stacked = (Tensor) run(new ConcatFromSequence(-1, true), sequence(A, B));
        assertThat(stacked.shape()).isEqualTo(Shape.of(2, 2));
        assertThat(stacked.toDoubleArray()).containsExactly(1, 3, 2, 4);
        assertThatThrownBy(() -> run(new ConcatFromSequence(0, true), sequence(A, C)))
                .isInstanceOf(ShapeException.class);
    }

    @Test
    void splits() {
        Tensor x = Run.counting(2, 3);
        TensorSequence single = (TensorSequence) run(new SplitToSequence(1, false), x);
        assertThat(single.items())
                .extracting(t -> ((Tensor) t).toDoubleArray()[1])
                .containsExactly(3.0, 4.0, 5.0);
        TensorSequence pairs = (TensorSequence) run(new SplitToSequence(1, false), x, Run.scalar(2));
        assertThat(pairs.tensor(1).shape()).isEqualTo(Shape.of(2, 1));
        TensorSequence sized = (TensorSequence) run(new SplitToSequence(1, true), x, Run.longs(0, 3));
        assertThat(sized.tensor(0).shape()).isEqualTo(Shape.of(2, 0));
        assertThatThrownBy(() -> run(new SplitToSequence(1, true), x, Run.longs(1, 1)))
                .hasMessageContaining("sum");
        assertThatThrownBy(() -> run(new SplitToSequence(1, true), x, Run.scalar(0)))
                .hasMessageContaining("size");
    }

    @Test
    void handlesOptionals() {
        MakeOptional make = new MakeOptional(Optional.of(DataType.FLOAT32), false);
        assertThat(run(make, A)).isEqualTo(new OptionalDatum(A));
        assertThat(run(make)).isEqualTo(OptionalDatum.EMPTY);
        assertThat(((Tensor) run(new OptionalHasElement(), OptionalDatum.EMPTY)).getBoolean(0))
                .isFalse();
        assertThat(((Tensor) run(new OptionalHasElement(), A)).getBoolean(0)).isTrue();
        assertThat(run(new OptionalGetElement(), new OptionalDatum(A))).isSameAs(A);
        assertThatThrownBy(() -> run(new OptionalGetElement(), OptionalDatum.EMPTY))
                .hasMessageContaining("empty");
    }
}
