package dev.tenon.internal.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.CancelledException;
import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Interpreter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** If, Loop, Scan, SequenceMap. */
class ControlFlowTest {
    private static final MemoryScope SCOPE = MemoryScope.shared("control flow tests");
    private static final TensorType NUMBER = new TensorType(DataType.FLOAT32, SymbolicShape.SCALAR);

    private static Value value(String name, DataType type) {
        return new Value(name, new TensorType(type, SymbolicShape.SCALAR));
    }

    private static Tensor number(double v) {
        return Run.floats(Shape.scalar(), v);
    }

    private static Tensor flag(boolean v) {
        return Run.of(DataType.BOOL, Shape.scalar(), v ? 1 : 0);
    }

    private static List<Datum> run(Op op, int outputs, Datum... inputs) {
        List<Value> values = new ArrayList<>();
        for (Datum d : inputs) {
            values.add(d == null ? Value.ABSENT : new Value("i" + values.size(), type(d)));
        }
        List<Value> outs = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            outs.add(new Value("o" + i, NUMBER));
        }
        Node node = new Node(op, values, outs, "test");
        op.infer(new Inference(node, v -> Optional.empty(), v -> Optional.empty()));
        return Interpreter.evaluate(node, Arrays.asList(inputs), SCOPE);
    }

    private static ValueType type(Datum d) {
        return switch (d) {
            case Tensor t -> TensorType.of(t.type(), t.shape());
            case TensorSequence s -> new SequenceType(TensorType.unranked(DataType.FLOAT32));
            case OptionalDatum o -> new OptionalType(TensorType.unranked(DataType.FLOAT32));
        };
    }

    private static double[] doubles(Datum d) {
        return ((Tensor) d).toDoubleArray();
    }

    /** (go, state + step, state + step) of (iteration, go, state, step). */
    private static Graph adding() {
        Value iteration = value("iteration", DataType.INT64);
        Value go = value("go", DataType.BOOL);
        Value state = value("state", DataType.FLOAT32);
        Value step = value("step", DataType.FLOAT32);
        Value sum = value("sum", DataType.FLOAT32);
        Node add = new Node(new Binary(BinaryFn.ADD), List.of(state, step), List.of(sum), "add");
        return new Graph("adding", List.of(iteration, go, state, step), List.of(go, sum, sum), Map.of(), List.of(add));
    }

    @Test
    void loops() {
        List<Datum> y = run(new Loop(adding(), 1), 2, Run.scalar(3), flag(true), number(10), number(2));
        assertThat(doubles(y.get(0))).containsExactly(16);
        assertThat(doubles(y.get(1))).containsExactly(12, 14, 16);
    }

    @Test
    void loopsNever() {
        List<Datum> y = run(new Loop(adding(), 1), 2, Run.scalar(3), flag(false), number(10), number(2));
        assertThat(doubles(y.get(0))).containsExactly(10);
        assertThat(((Tensor) y.get(1)).shape()).isEqualTo(Shape.of(0));
    }

    @Test
    void stopsAnEndlessLoopWhenInterrupted() {
        Loop op = new Loop(adding(), 1);
        Thread.currentThread().interrupt();
        try {
            assertThatThrownBy(() -> run(op, 2, Run.scalar(Long.MAX_VALUE), flag(true), number(0), number(0)))
                    .isInstanceOf(CancelledException.class);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void refusesABodyThatDoesNotFit() {
        assertThatThrownBy(() -> run(new Loop(adding(), 3), 2, Run.scalar(3), flag(true), number(1), number(2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("fewer inputs");
    }

    @Test
    void refusesConditionsOfOtherThanOneElement() {
        Tensor none = Run.booleans();
        assertThatThrownBy(() -> run(new Loop(adding(), 1), 2, Run.scalar(3), none, number(10), number(2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("one element");
        assertThatThrownBy(() -> run(new Loop(adding(), 1), 2, Run.longs(), flag(true), number(10), number(2)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("one element");
        If choice = new If(passing(NUMBER), passing(NUMBER));
        assertThat(doubles(run(choice, 1, Run.booleans(true), number(3)).getFirst()))
                .containsExactly(3);
        for (Tensor condition : List.of(none, Run.booleans(true, false), number(1))) {
            assertThatThrownBy(() -> run(choice, 1, condition, number(3))).isInstanceOf(ShapeException.class);
        }
        // Where types say nothing of it, the run does.
        Value open = new Value("open", TensorType.unranked(DataType.BOOL));
        Node n = new Node(choice, List.of(open, new Value("x", NUMBER)), List.of(new Value("y", NUMBER)), "test");
        new Inference(n, v -> Optional.empty(), v -> Optional.empty()).types();
        assertThatThrownBy(() -> Interpreter.evaluate(n, List.of(none, number(3)), SCOPE))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("one element");
    }

    @Test
    void branchesAgreeOnTheKindOfTheirOutputs() {
        TensorType four = TensorType.of(DataType.FLOAT32, Shape.of(4));
        TensorType any = TensorType.unranked(DataType.FLOAT32);
        assertThat(merged(new SequenceType(four), new SequenceType(any))).isEqualTo(new SequenceType(any));
        assertThat(merged(new OptionalType(any), new OptionalType(four))).isEqualTo(new OptionalType(any));
        assertThatThrownBy(() -> merged(four, new SequenceType(four)))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("the branches give");
        assertThatThrownBy(() -> merged(new OptionalType(four), new SequenceType(four)))
                .isInstanceOf(ShapeException.class);
        assertThatThrownBy(() -> merged(new SequenceType(four), new SequenceType(TensorType.unranked(DataType.INT64))))
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("element types");
    }

    private static Graph passing(ValueType type) {
        Value v = new Value("v", type);
        return new Graph("passing", List.of(v), List.of(v), Map.of(), List.of());
    }

    private static ValueType merged(ValueType then, ValueType otherwise) {
        Node n = new Node(
                new If(passing(then), passing(otherwise)),
                List.of(value("c", DataType.BOOL), value("x", DataType.FLOAT32)),
                List.of(value("y", DataType.FLOAT32)),
                "test");
        return new Inference(n, v -> Optional.empty(), v -> Optional.empty())
                .types()
                .getFirst();
    }

    @Test
    void scans() {
        Value state = value("state", DataType.FLOAT32);
        Value element = value("element", DataType.FLOAT32);
        Value sum = value("sum", DataType.FLOAT32);
        Node add = new Node(new Binary(BinaryFn.ADD), List.of(state, element), List.of(sum), "add");
        Graph body = new Graph("sum", List.of(state, element), List.of(sum, sum), Map.of(), List.of(add));
        Scan op = new Scan(body, 1, List.of(-1L), List.of(true), List.of(0L), List.of(false));
        List<Datum> y = run(op, 2, number(1), Run.floats(10, 20, 30));
        assertThat(doubles(y.get(0))).containsExactly(61);
        assertThat(doubles(y.get(1))).containsExactly(31, 51, 61);
        Scan reversed = new Scan(body, 1, List.of(0L), List.of(false), List.of(0L), List.of(true));
        assertThat(doubles(run(reversed, 2, number(0), Run.floats(1, 2)).get(1)))
                .containsExactly(3, 1);
    }

    @Test
    void mapsSequences() {
        Value a = value("a", DataType.FLOAT32);
        Value b = value("b", DataType.FLOAT32);
        Value sum = value("sum", DataType.FLOAT32);
        Node add = new Node(new Binary(BinaryFn.ADD), List.of(a, b), List.of(sum), "add");
        Graph body = new Graph("add", List.of(a, b), List.of(sum), Map.of(), List.of(add));
        TensorSequence s = new TensorSequence(List.of(number(1), number(2)));
        List<Datum> y = run(new SequenceMap(body, 2), 1, s, number(10));
        assertThat(((TensorSequence) y.getFirst()).items())
                .extracting(t -> doubles(t)[0])
                .containsExactly(11.0, 12.0);
        TensorSequence shorter = new TensorSequence(List.of(number(1)));
        assertThatThrownBy(() -> run(new SequenceMap(body, 2), 1, s, shorter)).hasMessageContaining("elements");
    }

    /** Passes its input on in a new tensor and remembers that. */
    private record Witness(List<Tensor> seen) implements Op {
        @Override
        public OpTrait trait() {
            return OpTrait.OPAQUE;
        }

        @Override
        public List<ValueType> infer(Inference in) {
            return List.of(in.type(0));
        }

        @Override
        public List<Datum> evaluate(Evaluation in) {
            Tensor y = in.allocate(DataType.FLOAT32, Shape.scalar());
            y.copyFrom(in.tensor(0));
            seen.add(y);
            return List.of(y);
        }
    }

    @Test
    void freesWhatIterationsMakeWhenNothingUsesIt() {
        Value iteration = value("iteration", DataType.INT64);
        Value go = value("go", DataType.BOOL);
        Value a = value("a", DataType.FLOAT32);
        Value b = value("b", DataType.FLOAT32);
        Value copy = value("copy", DataType.FLOAT32);
        List<Tensor> seen = new ArrayList<>();
        // The first state is new each time, the second one is the first of the time before.
        Graph body = new Graph(
                "shift",
                List.of(iteration, go, a, b),
                List.of(go, copy, a),
                Map.of(),
                List.of(new Node(new Witness(seen), List.of(a), List.of(copy), "witness")));
        List<Datum> y = run(new Loop(body, 2), 2, Run.scalar(5), flag(true), number(7), number(8));
        assertThat(doubles(y.get(0))).containsExactly(7);
        assertThat(doubles(y.get(1))).containsExactly(7);
        assertThat(seen).hasSize(5).noneMatch(t -> t.segment().scope().isAlive());
    }

    @Test
    void scansBatches() {
        Value state = value("state", DataType.FLOAT32);
        Value element = value("element", DataType.FLOAT32);
        Value sum = value("sum", DataType.FLOAT32);
        Node add = new Node(new Binary(BinaryFn.ADD), List.of(state, element), List.of(sum), "add");
        Graph body = new Graph("sum", List.of(state, element), List.of(sum, sum), Map.of(), List.of(add));
        Scan scan = new Scan(body, 1, List.of(0L), List.of(false), List.of(0L), List.of(false));
        Tensor x = Run.floats(Shape.of(2, 2), 1, 2, 3, 4);
        List<Datum> y = run(new BatchedScan(scan), 2, Run.longs(2, 1), Run.floats(0, 10), x);
        assertThat(doubles(y.get(0))).containsExactly(3, 13);
        assertThat(doubles(y.get(1))).containsExactly(1, 3, 13, 0);
    }
}
