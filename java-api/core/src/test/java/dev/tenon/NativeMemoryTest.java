package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Memory stays flat, limits hold, leaks are told, and a run allocates nothing. */
@Timeout(120)
class NativeMemoryTest {
    private final long limit = Tenon.memory().limitBytes();

    @TempDir
    Path folder;

    @Test
    void manyRunsStayFlat() throws Exception {
        grows("runs", Models.dense(folder), 8L << 20);
    }

    /** Results of steps that the host evaluates are given back in batches. */
    @Test
    void manyRunsOfHostStepsStayFlat() throws Exception {
        grows("loops", Models.loop(folder), 1L << 20, 8L << 20);
    }

    @Test
    void loadingAndClosingModelsStaysFlat() throws Exception {
        grows("cycles", Models.dense(folder), 32L << 20);
    }

    @Test
    void loadingAndClosingEnginesStaysFlat() throws Exception {
        Path saved = folder.resolve("dense.tenon");
        try (Engine engine = Engine.load(Models.dense(folder))) {
            engine.save(saved);
        }
        grows("cycles", saved, 32L << 20);
    }

    @Test
    void manyShapesStayBounded() throws Exception {
        grows("shapes", Models.denseOpen(folder), 48L << 20);
    }

    /** Runs {@link MemoryProbe} in a process of its own, with a heap that cannot grow. */
    private static void grows(String what, Path file, long atMost) throws Exception {
        grows(what, file, 0, atMost);
    }

    private static void grows(String what, Path file, long liveAtMost, long atMost) throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/proc/self/status")), "there is no /proc here");
        // The optimising compiler takes and gives back tens of megabytes.
        String text = probe(List.of("-XX:TieredStopAtLevel=1"), what, file);
        Matcher m = Pattern.compile("live (-?\\d+) resident (-?\\d+)").matcher(text);
        assertThat(m.find()).as(text).isTrue();
        assertThat(Long.parseLong(m.group(1))).as("live bytes after " + what).isLessThanOrEqualTo(liveAtMost);
        assertThat(Long.parseLong(m.group(2)))
                .as("resident bytes after " + what)
                .isLessThan(atMost);
    }

    private static String probe(List<String> options, String what, Path file) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xms96m",
                "-Xmx96m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-Dtenon.native.path=" + System.getProperty("tenon.native.path", ""),
                "-cp",
                System.getProperty("java.class.path")));
        command.addAll(options);
        command.addAll(List.of(MemoryProbe.class.getName(), what, file.toString()));
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        return new String(p.getInputStream().readAllBytes());
    }

    @Test
    void theLimitRefusesWithFiguresAndIsNotSticky() throws Exception {
        try (Engine engine = Engine.load(Models.denseOpen(folder));
                Session session = engine.newSession()) {
            float[] x = Models.values(4, 2);
            session.input("x", 1, 4).copyFrom(x);
            session.run();
            long live = Tenon.memory().liveBytes();
            Tenon.setMemoryLimit(live + (1 << 20));
            try {
                assertThatThrownBy(() -> Tensor.allocate(DataType.FLOAT32, Shape.of(1 << 20)))
                        .isInstanceOf(NativeMemoryException.class)
                        .hasMessageContaining("4194304 bytes")
                        .hasMessageContaining(live + " bytes are in use")
                        .hasMessageContaining("Tenon.setMemoryLimit");
                assertThatThrownBy(() -> session.input("x", 1 << 20, 4)).isInstanceOf(NativeMemoryException.class);
                try (Arena arena = Arena.ofShared()) {
                    // The input is the caller's; the output does not fit.
                    MemorySegment big = arena.allocate(4L * 4 * 300_000, 64);
                    session.bind("x", Tensor.of(big, DataType.FLOAT32, Shape.of(300_000, 4)));
                    assertThatThrownBy(session::run).isInstanceOf(NativeMemoryException.class);
                    assertThatThrownBy(() ->
                                    engine.run(Map.of("x", Tensor.of(big, DataType.FLOAT32, Shape.of(300_000, 4)))))
                            .isInstanceOf(NativeMemoryException.class);
                    session.input("x", 1, 4).copyFrom(x);
                    session.run();
                    assertThat(session.output("y").toFloatArray())
                            .containsExactly(Models.expected(x, 1, 4, 3), within(1e-5f));
                    Tenon.setMemoryLimit(limit);
                    session.bind("x", Tensor.of(big, DataType.FLOAT32, Shape.of(300_000, 4)));
                    session.run();
                }
            } finally {
                Tenon.setMemoryLimit(limit);
            }
        }
    }

    @Test
    void lostEnginesAndSessionsAreFreedAndTold() throws Exception {
        Path model = Models.dense(folder, "lost.onnx", 1L, 64, 64);
        long live = Tenon.memory().liveBytes();
        lose(model);
        await(() -> Tenon.memory().leaks().stream().anyMatch(l -> l.startsWith("engine of test") && l.contains("lose"))
                && Tenon.memory().liveBytes() <= live);
        assertThat(Tenon.memory().leaks())
                .anyMatch(l -> l.contains("was never closed; it was made") && l.contains("NativeMemoryTest.lose"));
        try (Engine engine = Engine.load(model)) {
            long before = Tenon.memory().liveBytes();
            loseSession(engine);
            await(() -> Tenon.memory().leaks().stream()
                            .anyMatch(l -> l.startsWith("session of test") && l.contains("loseSession"))
                    && Tenon.memory().liveBytes() <= before);
        }
    }

    private static void lose(Path model) {
        Engine.load(model).newSession().run();
    }

    private static void loseSession(Engine engine) {
        engine.newSession().run();
    }

    @Test
    void lostTensorsAreFreedAndTold() throws Exception {
        long live = Tenon.memory().liveBytes();
        Tensor.allocate(DataType.FLOAT64, Shape.of(12_345));
        await(() ->
                Tenon.memory().leaks().stream().anyMatch(l -> l.startsWith("tensor FLOAT64[12345] was never closed"))
                        && Tenon.memory().liveBytes() <= live);
    }

    private static void await(BooleanSupplier done) throws InterruptedException {
        for (int i = 0; i < 200 && !done.getAsBoolean(); i++) {
            System.gc();
            Thread.sleep(20);
        }
        assertThat(done.getAsBoolean()).isTrue();
    }

    /** Interpreted, so that no compiler can take away an object that the code makes. */
    @Test
    void runsAllocateNothingOnTheHeap() throws Exception {
        String text = probe(List.of("-Xint"), "heap", Models.dense(folder));
        for (String when : List.of(
                "at first", "after bind", "with a bind each", "after a recording", "in a recording of other things")) {
            assertThat(text).contains("heap " + when + " 0\n");
        }
    }

    @Test
    void tensorsBeyondTwoGigabytes() throws Exception {
        long bytes = 2_400_000_000L;
        Path sparse = folder.resolve("sparse.bin");
        try (FileChannel file = FileChannel.open(
                        sparse, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofShared()) {
            file.truncate(0).write(java.nio.ByteBuffer.allocate(1), bytes - 1);
            MemorySegment map = file.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            Tensor t = Tensor.of(map, DataType.UINT8, Shape.of(2_400, 1_000_000));
            t.setLong(bytes - 1, 77);
            t.setLong(3_000_000_0L, 5);
            assertThat(t.getLong(bytes - 1)).isEqualTo(77);
            assertThat(t.reshaped(Shape.of(bytes)).getLong(30_000_000L)).isEqualTo(5);
            assertThatThrownBy(t::toIntArray).isInstanceOf(ShapeException.class).hasMessageContaining("segment");
            Tensor tail = Tensor.of(map.asSlice(bytes - 10, 10), DataType.UINT8, Shape.of(10));
            assertThat(tail.getLong(9)).isEqualTo(77);
        }
    }
}
