package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.tenon.internal.onnx.TestModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Values that operators must refuse when a model runs: the exception names the node, and the session goes on. */
@Timeout(60)
class BadInputsTest {
    private final long limit = Tenon.memory().limitBytes();

    @TempDir
    Path folder;

    @BeforeEach
    void limitMemory() {
        Tenon.setMemoryLimit(Tenon.memory().liveBytes() + (256L << 20));
    }

    @AfterEach
    void unlimit() {
        Tenon.setMemoryLimit(limit);
    }

    /** A model that takes one INT64 vector named {@code i} and a FLOAT32[4x3] named {@code x}, with a good and bad values. */
    private record Case(String name, TestModel model, long[] good, long[]... bad) {}

    private static TestModel model() {
        return new TestModel()
                .input("x", DataType.FLOAT32, 4, 3)
                .input("i", DataType.INT64, "K")
                .unrankedOutput("y", DataType.FLOAT32);
    }

    @TestFactory
    Stream<DynamicTest> indicesAndShapesFromData() {
        long min = Long.MIN_VALUE;
        long max = Long.MAX_VALUE;
        return List.of(
                        new Case(
                                "Gather",
                                model().node("Gather", "x i", "y"),
                                longs(3, -4),
                                longs(4),
                                longs(-5),
                                longs(min),
                                longs(0, max)),
                        new Case(
                                "GatherND",
                                model().node("GatherND", "x i", "y"),
                                longs(3, 2),
                                longs(4, 0),
                                longs(0, 3),
                                longs(min, 0)),
                        new Case(
                                "Reshape",
                                model().node("Reshape", "x i", "y"),
                                longs(2, -1),
                                longs(5, -1),
                                longs(-1, -1),
                                longs(7),
                                longs(0, 0, 0),
                                longs(max, max),
                                longs(min)),
                        new Case(
                                "Expand",
                                model().node("Expand", "x i", "y"),
                                longs(2, 1, 1),
                                longs(2, 5, 1),
                                longs(1L << 40, 1, 1),
                                longs(max, max, 4, 3),
                                longs(-1, 1, 1)),
                        new Case(
                                "Tile",
                                model().node("Tile", "x i", "y"),
                                longs(2, 1),
                                longs(1L << 31, 1L << 31),
                                longs(1L << 31, 1),
                                longs(max, max),
                                longs(-1, 1),
                                longs(1)),
                        new Case(
                                "ConstantOfShape",
                                model().node("ConstantOfShape", "i", "y"),
                                longs(2, 1),
                                longs(1L << 31, 1L << 31),
                                longs(1L << 40),
                                longs(-1, 1)),
                        new Case(
                                "Slice",
                                model().longs("a", 0)
                                        .longs("b", max)
                                        .longs("c", 0)
                                        .node("Slice", "x a b c i", "y"),
                                longs(2),
                                longs(0)),
                        new Case(
                                "Pad",
                                model().node("Pad", "x i", "y"),
                                longs(0, 1, 2, 0),
                                longs(1),
                                longs(0, 1L << 50, 0, 0),
                                longs(-9, 0, 0, 0),
                                longs(min, 0, 0, 0),
                                longs(max, max, max, max)),
                        new Case(
                                "OneHot",
                                model().floats("v", new long[] {2}, 0, 1)
                                        .node("OneHot", "i n v", "y")
                                        .scalar("n", 5),
                                longs(2, -5, 99)),
                        new Case(
                                "Squeeze",
                                model().node("Unsqueeze", "x i", "y"),
                                longs(0, 1),
                                longs(0, 0),
                                longs(9),
                                longs(-9),
                                longs(min)),
                        new Case(
                                "TopK",
                                model().node("TopK", "x i", "y z").output("z", DataType.INT64, "A", "B"),
                                longs(2),
                                longs(4),
                                longs(-1),
                                longs(max)),
                        new Case(
                                "ScatterND",
                                model().floats("u", new long[] {3}, 1, 2, 3).node("ScatterND", "x i u", "y"),
                                longs(1),
                                longs(4),
                                longs(-5),
                                longs(min)))
                .stream()
                .map(c -> DynamicTest.dynamicTest(c.name(), () -> check(c)));
    }

    private static long[] longs(long... v) {
        return v;
    }

    private void check(Case c) throws Exception {
        try (Engine engine = Engine.load(c.model().save(folder, c.name() + ".onnx"));
                Session session = engine.newSession()) {
            session.input("x").copyFrom(new float[12]);
            runWith(session, c.good());
            for (long[] bad : c.bad()) {
                assertThat(catchThrowable(() -> runWith(session, bad)))
                        .as(c.name() + " " + Arrays.toString(bad))
                        .isInstanceOfAny(ShapeException.class, NativeMemoryException.class);
                runWith(session, c.good());
            }
        }
    }

    private static void runWith(Session session, long[] indices) {
        session.input("i", indices.length).copyFrom(indices);
        session.run();
    }

    @Test
    void theMessageNamesTheNodeAndThePosition() throws Exception {
        Path file = model().node("Gather", "x i", "y").save(folder, "gather.onnx");
        try (Engine engine = Engine.load(file);
                Session session = engine.newSession()) {
            assertThatThrownBy(() -> runWith(session, longs(0, 17)))
                    .isInstanceOf(ShapeException.class)
                    .hasMessageContaining("Gather_y")
                    .hasMessageContaining("position 1");
        }
    }

    @Test
    void endlessRangesAreRefused() throws Exception {
        Path file = new TestModel()
                .input("from", DataType.FLOAT64)
                .input("to", DataType.FLOAT64)
                .input("by", DataType.FLOAT64)
                .output("y", DataType.FLOAT64, "N")
                .node("Range", "from to by", "y")
                .save(folder, "range.onnx");
        try (Engine engine = Engine.load(file);
                Session session = engine.newSession()) {
            Consumer<double[]> run = v -> {
                session.input("from").setDouble(0, v[0]);
                session.input("to").setDouble(0, v[1]);
                session.input("by").setDouble(0, v[2]);
                session.run();
            };
            run.accept(new double[] {0, 3, 1});
            assertThat(session.output("y").toDoubleArray()).containsExactly(0, 1, 2);
            for (double[] bad : new double[][] {
                {0, 1e18, 1e-9},
                {0, 1e9, 1},
                {0, 5, 0},
                {0, Double.POSITIVE_INFINITY, 1},
                {0, Double.NaN, 1},
                {0, 5, Double.NaN}
            }) {
                assertThatThrownBy(() -> run.accept(bad))
                        .as(Arrays.toString(bad))
                        .isInstanceOfAny(ShapeException.class, NativeMemoryException.class);
                run.accept(new double[] {0, 3, 1});
            }
        }
    }

    @Test
    void aLoopThatFillsTheMemoryMeetsTheLimit() throws Exception {
        try (Engine engine = Engine.load(Models.loop(folder));
                Session session = engine.newSession()) {
            Tenon.setMemoryLimit(Tenon.memory().liveBytes() + (4L << 20));
            session.input("trips").setLong(0, 100_000_000);
            session.input("start");
            try {
                // Either every iteration gives its memory back, or the limit holds; both are bounded.
                Thread watchdog = Thread.startVirtualThread(() -> {
                    try {
                        Thread.sleep(3_000);
                    } catch (InterruptedException e) {
                        return;
                    }
                    session.cancel();
                });
                assertThatThrownBy(session::run).isInstanceOfAny(NativeMemoryException.class, CancelledException.class);
                watchdog.interrupt();
            } finally {
                Tenon.setMemoryLimit(limit);
            }
            session.input("trips").setLong(0, 2);
            session.run();
            assertThat(session.output("end").getDouble(0)).isEqualTo(2);
        }
    }

    @TestFactory
    Stream<DynamicTest> attributesThatMakeNoSense() {
        return Stream.of(
                        new Object[] {"strides 0", conv("strides", new long[] {0, 0})},
                        new Object[] {"dilation 2^31", conv("dilations", new long[] {1L << 31, 1})},
                        new Object[] {"three pads", conv("pads", new long[] {1, 1, 1})},
                        new Object[] {"negative pads beyond the image", conv("pads", new long[] {-9, -9, -9, -9})},
                        new Object[] {"group that does not divide", conv("group", 2)},
                        new Object[] {"group 0", conv("group", 0)},
                        new Object[] {"pool larger than its input", pool("kernel_shape", new long[] {9, 9})},
                        new Object[] {"pool of nothing", pool("kernel_shape", new long[] {0, 0})},
                        new Object[] {"softmax axis", image().node("Softmax", "x", "y", "axis", 7)},
                        new Object[] {
                            "transpose twice the same",
                            image().node("Transpose", "x", "y", "perm", new long[] {0, 0, 1, 2})
                        },
                        new Object[] {"concat axis", image().node("Concat", "x x", "y", "axis", -9)},
                        new Object[] {"flatten axis", image().node("Flatten", "x", "y", "axis", 6)})
                .map(c -> DynamicTest.dynamicTest((String) c[0], () -> {
                    Path file = ((TestModel) c[1]).save(folder, "attribute.onnx");
                    assertThatThrownBy(() -> {
                                try (Engine engine = Engine.load(file);
                                        Session session = engine.newSession()) {
                                    session.run();
                                }
                            })
                            .isInstanceOf(TenonException.class)
                            .hasMessageContaining("y");
                }));
    }

    private static TestModel image() {
        return new TestModel().input("x", DataType.FLOAT32, 1, 3, 5, 5).unrankedOutput("y", DataType.FLOAT32);
    }

    private static TestModel conv(Object... attributes) {
        return image().floats("w", new long[] {2, 3, 3, 3}, new float[54]).node("Conv", "x w", "y", attributes);
    }

    private static TestModel pool(Object... attributes) {
        return image().node("MaxPool", "x", "y", attributes);
    }

    @Test
    void notANumberAndInfinitiesGoThrough() throws Exception {
        Path file = new TestModel()
                .input("x", DataType.FLOAT32, 2, 6)
                .output("s", DataType.FLOAT32, 2, 6)
                .output("v", DataType.FLOAT32, 2, 6)
                .output("k", DataType.INT64, 2, 6)
                .output("a", DataType.INT64, 2, 1)
                .longs("n", 6)
                .node("Softmax", "x", "s")
                .node("TopK", "x n", "v k")
                .node("ArgMax", "x", "a", "axis", 1)
                .save(folder, "special.onnx");
        try (Engine engine = Engine.load(file);
                Session session = engine.newSession()) {
            float nan = Float.NaN;
            float inf = Float.POSITIVE_INFINITY;
            session.input("x").copyFrom(new float[] {nan, inf, -inf, Float.MIN_VALUE, -0f, nan, 1, 2, 3, 4, 5, 6});
            session.run();
            assertThat(Arrays.copyOfRange(session.output("v").toFloatArray(), 6, 12))
                    .containsExactly(6, 5, 4, 3, 2, 1);
            long[] order = Arrays.copyOf(session.output("k").toLongArray(), 6);
            assertThat(order).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5);
            assertThat(session.output("a").getLong(1)).isEqualTo(5);
            double sum = 0;
            for (int i = 6; i < 12; i++) {
                sum += session.output("s").getDouble(i);
            }
            assertThat(sum).isCloseTo(1, org.assertj.core.api.Assertions.within(1e-5));
        }
    }

    /** A layer in two directions takes two states, not the first two of three. */
    @Test
    void statesOfMoreDirectionsThanTheLayerHas() throws Exception {
        for (int directions : new int[] {1, 2}) {
            TestModel m = new TestModel()
                    .input("x", DataType.FLOAT32, "T", "N", 2)
                    .input("h", DataType.FLOAT32, "D", "N", 1)
                    .floats("w", new long[] {directions, 3, 2}, new float[6 * directions])
                    .floats("r", new long[] {directions, 3, 1}, new float[3 * directions])
                    .node(
                            "GRU",
                            "x w r - - h",
                            "y",
                            "direction",
                            directions == 1 ? "reverse" : "bidirectional",
                            "hidden_size",
                            1,
                            "linear_before_reset",
                            1)
                    .unrankedOutput("y", DataType.FLOAT32);
            try (Engine engine = Engine.load(m.save(folder, "states" + directions + ".onnx"));
                    Session session = engine.newSession()) {
                session.input("x", 4, 3, 2);
                session.input("h", directions + 1, 3, 1);
                assertThatThrownBy(session::run).isInstanceOf(ShapeException.class);
                session.input("h", directions, 3, 1);
                session.run();
                assertThat(session.output("y").shape()).isEqualTo(Shape.of(4, directions, 3, 1));
            }
        }
    }
}
