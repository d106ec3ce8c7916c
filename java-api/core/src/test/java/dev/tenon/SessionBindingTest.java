package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.internal.onnx.TestModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Inputs and outputs in the caller's memory, what may not be bound, and models whose outputs are not plain results. */
class SessionBindingTest {
    private static final float[] X = {1, -2, 3, 0.5f};

    @TempDir
    Path folder;

    @Test
    void runsReadAndWriteTheCallersMemory() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession();
                Arena arena = Arena.ofShared()) {
            MemorySegment in = arena.allocate(16, 4);
            MemorySegment out = arena.allocate(12, 4);
            session.bind("x", Tensor.of(in, DataType.FLOAT32, Shape.of(1, 4)));
            session.bind("y", Tensor.of(out, DataType.FLOAT32, Shape.of(1, 3)));
            MemorySegment.copy(X, 0, in, ValueLayout.JAVA_FLOAT, 0, 4);
            session.run();
            assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(Models.expected(X, 1, 4, 3), within(1e-5f));
            assertThat(session.output("y").segment().address()).isEqualTo(out.address());
            // Written in place, without another bind:
            in.setAtIndex(ValueLayout.JAVA_FLOAT, 0, 7);
            session.run();
            assertThat(out.toArray(ValueLayout.JAVA_FLOAT))
                    .containsExactly(Models.expected(new float[] {7, -2, 3, 0.5f}, 1, 4, 3), within(1e-5f));
        }
    }

    @Test
    void memoryOfAnyAlignmentIsFine() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession();
                Arena arena = Arena.ofShared()) {
            MemorySegment in = arena.allocate(64, 64).asSlice(1, 16);
            MemorySegment out = arena.allocate(64, 64).asSlice(3, 12);
            Tensor x = Tensor.of(in, DataType.FLOAT32, Shape.of(1, 4));
            x.copyFrom(X);
            Tensor y = Tensor.of(out, DataType.FLOAT32, Shape.of(1, 3));
            session.bind("x", x);
            session.bind("y", y);
            session.run();
            assertThat(y.toFloatArray()).containsExactly(Models.expected(X, 1, 4, 3), within(1e-5f));
        }
    }

    @Test
    void bindingsMayChangeBetweenRuns() throws Exception {
        try (Engine engine = Engine.load(Models.denseOpen(folder));
                Session session = engine.newSession()) {
            for (int i = 0; i < 40; i++) {
                int rows = 1 + i % 12;
                float[] values = Models.values(rows * 4, i);
                try (Tensor x = Tensor.of(values, rows, 4);
                        Tensor y = Tensor.allocate(DataType.FLOAT32, Shape.of(rows, 3))) {
                    session.bind("x", x);
                    session.bind("y", y);
                    session.run();
                    assertThat(y.toFloatArray()).containsExactly(Models.expected(values, rows, 4, 3), within(1e-5f));
                }
            }
            session.input("x", 2, 4).copyFrom(Models.values(8, 99));
            try (Tensor y = Tensor.allocate(DataType.FLOAT32, Shape.of(2, 3))) {
                session.bind("y", y);
                session.run();
                assertThat(y.toFloatArray())
                        .containsExactly(Models.expected(Models.values(8, 99), 2, 4, 3), within(1e-5f));
            }
        }
    }

    @Test
    void anOutputMayLieInTheMemoryOfAnInput() throws Exception {
        Path model = new TestModel()
                .input("s", DataType.FLOAT32, 2, 2)
                .output("t", DataType.FLOAT32, 2, 2)
                .node("MatMul", "s s", "p")
                .node("Transpose", "p", "q")
                .node("Add", "q s", "t")
                .save(folder, "state.onnx");
        try (Engine engine = Engine.load(model);
                Session session = engine.newSession();
                Tensor state = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2)) {
            session.bind("s", state);
            session.bind("t", state);
            session.run();
            assertThat(state.toFloatArray()).containsExactly(7 + 1, 15 + 2, 10 + 3, 22 + 4);
        }
    }

    @Test
    void wrongTensorsAreRefusedWithWhatWasExpected() throws Exception {
        try (Engine engine = Engine.load(Models.denseOpen(folder));
                Session session = engine.newSession();
                Tensor ok = Tensor.of(X, 1, 4);
                Tensor wide = Tensor.of(new float[10], 2, 5);
                Tensor flat = Tensor.of(X, 4);
                Tensor longs = Tensor.of(new long[4], 1, 4)) {
            refused(
                    () -> session.bind("z", ok),
                    "there is no input or output 'z'; the inputs are"
                            + " [x float32[Nx4]], the outputs [y float32[Nx3]]");
            refused(() -> session.input("y"), "there is no input 'y'; the inputs are [x float32[Nx4]]");
            refused(
                    () -> session.output("x"),
                    "there is no input or output 'x'; the inputs are"
                            + " [x float32[Nx4]], the outputs [y float32[Nx3]]");
            refused(() -> session.bind("x", wide), "input 'x' was given FLOAT32[2x5]; expected x float32[Nx4]");
            refused(() -> session.bind("x", flat), "input 'x' was given FLOAT32[4]; expected x float32[Nx4]");
            refused(() -> session.bind("x", longs), "input 'x' was given INT64[1x4]; expected x float32[Nx4]");
            refused(session::run, "input 'x' is not set; expected x float32[Nx4]");
            refused(
                    () -> session.input("x"),
                    "'x' has the open shape Nx4; give one with"
                            + " Session.input(name, shape) or fix it with Engine.Builder.shape");
            refused(() -> engine.run(Map.of()), "input 'x' is not set; expected x float32[Nx4]");
            refused(
                    () -> engine.run(Map.of("x", ok, "q", ok)),
                    "there is no input 'q'; the inputs are [x float32[Nx4]]");
            session.bind("x", ok);
            session.bind("y", wide);
            refused(session::run, "output 'y' was given FLOAT32[2x5]; expected FLOAT32[1x3]");
            MemorySegment readOnly = ok.segment().asReadOnly().asSlice(0, 12);
            refused(
                    () -> session.bind("y", Tensor.of(readOnly, DataType.FLOAT32, Shape.of(1, 3))),
                    "output 'y' was given read-only memory");
            MemorySegment heap = MemorySegment.ofArray(new float[4]);
            refused(
                    () -> session.bind("x", Tensor.of(heap, DataType.FLOAT32, Shape.of(1, 4))),
                    "'x' was given memory of the Java heap; expected native memory");
            try (Tensor y = Tensor.allocate(DataType.FLOAT32, Shape.of(1, 3))) {
                session.bind("y", y);
                session.run();
                assertThat(y.toFloatArray()).containsExactly(Models.expected(X, 1, 4, 3), within(1e-5f));
            }
        }
    }

    @Test
    void inputsThatShareASymbolMustAgree() throws Exception {
        Path model = new TestModel()
                .input("a", DataType.FLOAT32, "N", 2)
                .input("b", DataType.FLOAT32, "N", 2)
                .output("c", DataType.FLOAT32, "N", 2)
                .node("Add", "a b", "c")
                .save(folder, "add.onnx");
        try (Engine engine = Engine.load(model);
                Session session = engine.newSession()) {
            session.input("a", 3, 2);
            session.input("b", 1, 2);
            refused(session::run, "dimension N is 3 in input 'a' but 1 in input 'b'");
            session.input("b", 3, 2);
            session.run();
        }
    }

    private static void refused(org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(ShapeException.class).hasMessage(message);
    }

    @Test
    void outputsMayBeInputsConstantsAndRepeated() throws Exception {
        Path model = new TestModel()
                .input("x", DataType.FLOAT32, 2)
                .floats("k", new long[] {2}, 5, 6)
                .output("same", DataType.FLOAT32, 2)
                .output("k", DataType.FLOAT32, 2)
                .output("r1", DataType.FLOAT32, 2)
                .output("r2", DataType.FLOAT32, 2)
                .node("Identity", "x", "same")
                .node("Relu", "x", "r1")
                .node("Identity", "r1", "r2")
                .save(folder, "outputs.onnx");
        try (Engine engine = Engine.load(model);
                Session session = engine.newSession();
                Tensor x = Tensor.of(new float[] {-1, 2}, 2)) {
            session.bind("x", x);
            session.run();
            check(session);
            Map<String, Tensor> results = engine.run(Map.of("x", x));
            assertThat(results.get("same").toFloatArray()).containsExactly(-1, 2);
            assertThat(results.get("k").toFloatArray()).containsExactly(5, 6);
            assertThat(results.get("r2").toFloatArray()).containsExactly(0, 2);
            results.values().forEach(Tensor::close);
            for (String name : List.of("same", "k", "r1", "r2")) {
                session.bind(name, Tensor.allocate(DataType.FLOAT32, Shape.of(2)));
            }
            session.run();
            check(session);
            for (String name : List.of("same", "k", "r1", "r2")) {
                session.output(name).close();
            }
        }
    }

    private static void check(Session session) {
        assertThat(session.output("same").toFloatArray()).containsExactly(-1, 2);
        assertThat(session.output("k").toFloatArray()).containsExactly(5, 6);
        assertThat(session.output("r1").toFloatArray()).containsExactly(0, 2);
        assertThat(session.output("r2").toFloatArray()).containsExactly(0, 2);
    }

    @Test
    void aCallerCannotChangeTheEnginesConstants() throws Exception {
        Path model = new TestModel()
                .input("x", DataType.FLOAT32, 2)
                .floats("k", new long[] {2}, 5, 6)
                .output("k", DataType.FLOAT32, 2)
                .output("y", DataType.FLOAT32, 2)
                .node("Add", "x k", "y")
                .save(folder, "constant.onnx");
        try (Engine engine = Engine.load(model);
                Session session = engine.newSession()) {
            session.run();
            Tensor k = session.output("k");
            assertThatThrownBy(() -> k.setDouble(0, 100)).isInstanceOf(IllegalArgumentException.class);
            session.run();
            assertThat(session.output("y").toFloatArray()).containsExactly(5, 6);
        }
    }

    @Test
    void textAndSequences() throws Exception {
        Path model = new TestModel()
                .input("words", DataType.STRING, "N")
                .output("out", DataType.STRING, "N")
                .node("Identity", "words", "out")
                .save(folder, "text.onnx");
        try (Engine engine = Engine.load(model);
                Session session = engine.newSession();
                Tensor words = Tensor.ofStrings(new String[] {"a", "\u0000b", ""}, 3)) {
            session.bind("words", words);
            session.run();
            assertThat(session.output("out").toStringArray()).containsExactly("a", "\u0000b", "");
            assertThat(engine.run(Map.of("words", words)).get("out").toStringArray())
                    .containsExactly("a", "\u0000b", "");
        }
        Path sequences = new TestModel()
                .sequenceInput("s", DataType.FLOAT32)
                .scalar("i", 1)
                .output("n", DataType.INT64)
                .sequenceOutput("t", DataType.FLOAT32)
                .node("SequenceLength", "s", "n")
                .node("SequenceErase", "s i", "t")
                .save(folder, "sequence.onnx");
        try (Engine engine = Engine.load(sequences);
                Session session = engine.newSession();
                Tensor a = Tensor.of(new float[] {1}, 1);
                Tensor b = Tensor.of(new float[] {2, 3}, 2)) {
            session.bind("s", new TensorSequence(List.of(a, b)));
            session.run();
            assertThat(session.output("n").getLong(0)).isEqualTo(2);
            assertThat(((TensorSequence) session.outputDatum("t")).tensor(0).toFloatArray())
                    .containsExactly(1);
            assertThatThrownBy(() -> session.output("t"))
                    .isInstanceOf(ShapeException.class)
                    .hasMessage("output 't' is not a tensor; read it with outputDatum");
            assertThatThrownBy(() -> session.bind("s", a)).isInstanceOf(ShapeException.class);
            assertThatThrownBy(() -> engine.run(Map.of("s", a))).isInstanceOf(ShapeException.class);
            Map<String, Datum> results = engine.runData(Map.of("s", new TensorSequence(List.of(a, b, a))));
            assertThat(((Tensor) results.get("n")).getLong(0)).isEqualTo(3);
            assertThat(((TensorSequence) results.get("t")).size()).isEqualTo(2);
        }
    }
}
