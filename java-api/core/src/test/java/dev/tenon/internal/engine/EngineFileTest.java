package dev.tenon.internal.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Engine;
import dev.tenon.EngineFormatException;
import dev.tenon.Session;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.onnx.TestModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged, foreign and forged engine files are refused by name; what a file keeps is enough to run. */
class EngineFileTest {
    @TempDir
    Path folder;

    private Path saved;
    private byte[] bytes;

    @BeforeEach
    void save() throws IOException {
        saved = folder.resolve("model.tenon");
        try (Engine engine = Engine.load(model())) {
            engine.save(saved);
        }
        bytes = Files.readAllBytes(saved);
    }

    /** One weight is read by a product alone, one by a product and by an operator on the host, and one is text. */
    private Path model() throws IOException {
        return new TestModel()
                .input("x", DataType.FLOAT32, 2, 32)
                .input("i", DataType.INT64, 1)
                .output("y", DataType.FLOAT32, 2, 32)
                .output("u", DataType.FLOAT32, "U")
                .output("row", DataType.FLOAT32, 1, 32)
                .floats("a", new long[] {32, 32}, random(1))
                .floats("b", new long[] {32, 32}, random(2))
                .node("MatMul", "x a", "h")
                .node("MatMul", "h b", "y")
                .node("Unique", "b", "u")
                .node("Gather", "a i", "row")
                .save(folder, "model.onnx");
    }

    private static float[] random(long seed) {
        Random r = new Random(seed);
        float[] v = new float[32 * 32];
        for (int i = 0; i < v.length; i++) {
            v[i] = r.nextFloat() - 0.5f;
        }
        return v;
    }

    private static Map<String, Tensor> run(Path file) {
        try (Engine engine = Engine.load(file);
                Tensor x = Tensor.of(Arrays.copyOf(random(3), 64), 2, 32);
                Tensor i = Tensor.of(new long[] {7}, 1)) {
            return engine.run(Map.of("x", x, "i", i));
        }
    }

    @Test
    void aLoadedEngineGivesEqualResults() throws Exception {
        Map<String, Tensor> before = run(folder.resolve("model.onnx"));
        Map<String, Tensor> after = run(saved);
        for (String name : before.keySet()) {
            assertThat(after.get(name).toFloatArray())
                    .as(name)
                    .containsExactly(before.get(name).toFloatArray());
            before.get(name).close();
            after.get(name).close();
        }
    }

    @Test
    void savingDoesNotHurtTheLivingEngineOrASecondSave() throws Exception {
        Path again = folder.resolve("again.tenon");
        try (Engine engine = Engine.load(saved);
                Session session = engine.newSession()) {
            session.run();
            engine.save(again);
            session.run();
            try (Session another = engine.newSession()) {
                another.run();
            }
            // Over the file that is mapped: the old one stays alive until the engine is closed.
            engine.save(saved);
            session.run();
        }
        aLoadedEngineGivesEqualResults();
        saved = again;
        aLoadedEngineGivesEqualResults();
    }

    /** Two layers share their weights; steps and samples are open, and there may be none. */
    @Test
    void recurrentLayersAreKept() throws Exception {
        TestModel m = new TestModel()
                .input("x", DataType.FLOAT32, "T", "N", 8)
                .input("l", DataType.INT32, "N")
                .floats("w", new long[] {2, 32, 8}, Arrays.copyOf(random(1), 512))
                .floats("r", new long[] {2, 32, 8}, Arrays.copyOf(random(2), 512))
                .floats("gw", new long[] {1, 24, 8}, Arrays.copyOf(random(3), 192))
                .floats("gr", new long[] {1, 24, 8}, Arrays.copyOf(random(4), 192))
                .node("LSTM", "x w r - l", "a h", "hidden_size", 8, "direction", "bidirectional")
                .node("LSTM", "x w r", "- - c", "hidden_size", 8, "direction", "bidirectional")
                .node("GRU", "x gw gr", "g", "hidden_size", 8, "linear_before_reset", 1)
                .unrankedOutput("a", DataType.FLOAT32)
                .unrankedOutput("h", DataType.FLOAT32)
                .unrankedOutput("c", DataType.FLOAT32)
                .unrankedOutput("g", DataType.FLOAT32);
        Path model = m.save(folder, "recurrent.onnx");
        Path first = folder.resolve("first.tenon");
        Path second = folder.resolve("second.tenon");
        try (Engine engine = Engine.load(model)) {
            engine.save(first);
            try (Engine loaded = Engine.load(first)) {
                loaded.save(second);
            }
            assertThat(Files.size(second)).isEqualTo(Files.size(first));
            try (Engine loaded = Engine.load(second)) {
                for (int[] size : new int[][] {{5, 3}, {1, 1}, {0, 2}, {3, 0}, {64, 9}}) {
                    int[] lengths = new int[size[1]];
                    Arrays.fill(lengths, size[0] / 2);
                    try (Tensor x = Tensor.allocate(DataType.FLOAT32, Shape.of(size[0], size[1], 8));
                            Tensor l = Tensor.of(lengths, size[1])) {
                        for (long i = 0; i < x.size(); i++) {
                            x.setDouble(i, Math.sin(i));
                        }
                        Map<String, Tensor> expected = engine.run(Map.of("x", x, "l", l));
                        Map<String, Tensor> actual = loaded.run(Map.of("x", x, "l", l));
                        for (String name : List.of("a", "h", "c", "g")) {
                            assertThat(actual.get(name).shape())
                                    .isEqualTo(expected.get(name).shape());
                            assertThat(actual.get(name).toFloatArray())
                                    .as(name)
                                    .containsExactly(expected.get(name).toFloatArray());
                            expected.get(name).close();
                            actual.get(name).close();
                        }
                    }
                }
            }
        }
    }

    @Test
    void engineWithOpenShapesRunsShapesThatItNeverSaw() throws Exception {
        Path open = new TestModel()
                .input("x", DataType.FLOAT32, "N", 32)
                .output("y", DataType.FLOAT32, "N", 32)
                .output("u", DataType.FLOAT32, "U")
                .floats("a", new long[] {32, 32}, random(1))
                .node("MatMul", "x a", "y")
                .node("Unique", "a", "u")
                .save(folder, "open.onnx");
        Path file = folder.resolve("open.tenon");
        try (Engine engine = Engine.load(open)) {
            engine.save(file);
        }
        try (Engine plain = Engine.load(open);
                Engine loaded = Engine.load(file)) {
            for (int n : new int[] {1, 2, 7, 64, 300}) {
                float[] values = new float[n * 32];
                Arrays.fill(values, 0.5f);
                try (Tensor x = Tensor.of(values, n, 32)) {
                    Map<String, Tensor> expected = plain.run(Map.of("x", x));
                    Map<String, Tensor> actual = loaded.run(Map.of("x", x));
                    for (String name : List.of("y", "u")) {
                        assertThat(actual.get(name).toFloatArray())
                                .containsExactly(
                                        expected.get(name).toFloatArray(),
                                        org.assertj.core.api.Assertions.within(1e-5f));
                    }
                    expected.values().forEach(Tensor::close);
                    actual.values().forEach(Tensor::close);
                }
            }
        }
    }

    @Test
    void cutFilesAreRefused() throws Exception {
        TreeSet<Integer> lengths =
                new TreeSet<>(List.of(8, 9, 20, 63, 64, 65, 100, bytes.length / 2, bytes.length - 1));
        for (int at = 4096; at < bytes.length; at += 4096) {
            lengths.add(at);
        }
        for (int length : lengths) {
            refused(Arrays.copyOf(bytes, length));
        }
    }

    @Test
    void trailingBytesAreRefused() throws Exception {
        refused(Arrays.copyOf(bytes, bytes.length + 1));
        refused(Arrays.copyOf(bytes, bytes.length + 4096));
    }

    @Test
    void aFlippedBitInThePrefixIsRefused() throws Exception {
        // The first eight bytes say that it is an engine at all.
        for (int at = 8; at < 64; at++) {
            flipped(at);
        }
    }

    @Test
    void aFlippedBitInTheHeaderIsRefused() throws Exception {
        long length = header().getLong(16);
        for (long at = 64; at < 64 + length; at += Math.max(1, length / 97)) {
            flipped((int) at);
        }
    }

    @Test
    void aFlippedBitInAnySectionIsRefused() throws Exception {
        Map<?, ?> json = json();
        long start = header().getLong(24);
        List<?> sections = (List<?>) json.get("sections");
        assertThat(sections).isNotEmpty();
        for (Object s : sections) {
            long offset = start + (Long) ((List<?>) s).get(0);
            long size = (Long) ((List<?>) s).get(1);
            for (long at : new long[] {0, size / 2, size - 1}) {
                flipped((int) (offset + at));
            }
        }
    }

    private void flipped(int at) throws IOException {
        byte[] b = bytes.clone();
        b[at] ^= 0x10;
        refused(b);
    }

    @Test
    void otherVersionsAreRefusedWithWhatToDo() throws Exception {
        byte[] b = bytes.clone();
        ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 2);
        assertThat(refused(b)).contains("format version 2").contains("tenon build");
        assertThat(refused(forged("\"native\":\"", "\"native\":\"other ")))
                .contains("built by another native library")
                .contains("tenon build");
    }

    @Test
    void headersThatMakeNoSenseAreRefused() throws Exception {
        refused(forged("\"sections\":[[0", "\"sections\":[[-4096"));
        refused(forged("\"type\":\"FLOAT32\"", "\"type\":\"FLOAT99\""));
        refused(forged("\"shape\":[", "\"shape\":[99999999999,"));
        refused(forged("\"shape\":[", "\"shape\":[4611686018427387904,"));
        refused(forged("\"shape\":[", "\"shape\":[-1,"));
        refused(forged("\"op\":\"MatMul\"", "\"op\":\"Graph\""));
        refused(forged("\"op\":\"MatMul\"", "\"op\":\"../MatMul\""));
        refused(forged("\"outputs\":[", "\"outputs\":[null,"));
        refused(forged("\"precision\":\"FP32\"", "\"precision\":\"FP3\""));
        refused(forged("\"constants\":[", "\"constants\":[[],"));
        refused(forged("{", ""));
        refused(forged("\"graph\":{", "\"graph\":{\"more\":" + "[".repeat(250_000) + ","));
    }

    @Test
    void garbageIsRefused() throws Exception {
        Random random = new Random(11);
        for (int i = 0; i < 200; i++) {
            byte[] b = new byte[random.nextInt(300)];
            random.nextBytes(b);
            byte[] magic = "TENONENG".getBytes(StandardCharsets.US_ASCII);
            if (b.length >= 12) {
                System.arraycopy(magic, 0, b, 0, 8);
                b[8] = 1;
                b[9] = b[10] = b[11] = 0;
                refused(b);
            }
        }
    }

    /** The file with a part of its header replaced, and lengths and checksum made good. */
    private byte[] forged(String what, String by) {
        ByteBuffer prefix = header();
        int length = (int) prefix.getLong(16);
        int start = (int) prefix.getLong(24);
        String json = new String(bytes, 64, length, StandardCharsets.UTF_8);
        assertThat(json).contains(what);
        int at = json.indexOf(what);
        byte[] header =
                (json.substring(0, at) + by + json.substring(at + what.length())).getBytes(StandardCharsets.UTF_8);
        int newStart = (64 + header.length + 4095) / 4096 * 4096;
        ByteBuffer out = ByteBuffer.allocate(newStart + bytes.length - start).order(ByteOrder.LITTLE_ENDIAN);
        CRC32C crc = new CRC32C();
        crc.update(header);
        out.put(bytes, 0, 12)
                .putInt((int) crc.getValue())
                .putLong(header.length)
                .putLong(newStart);
        out.putLong(out.capacity());
        out.position(64);
        out.put(header);
        out.position(newStart);
        out.put(bytes, start, bytes.length - start);
        return out.array();
    }

    private ByteBuffer header() {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private Map<?, ?> json() {
        return (Map<?, ?>) Json.read(new String(bytes, 64, (int) header().getLong(16), StandardCharsets.UTF_8));
    }

    /** The message. */
    private String refused(byte[] content) throws IOException {
        Path file = folder.resolve("bad.tenon");
        Files.write(file, content);
        String[] message = {""};
        assertThatThrownBy(() -> Engine.load(file).close())
                .isInstanceOf(EngineFormatException.class)
                .hasMessageContaining("bad.tenon")
                .satisfies(e -> message[0] = e.getMessage());
        return message[0];
    }

    @Test
    void aFileThatIsMissingOrAFolderIsToldByName() {
        assertThatThrownBy(() -> Engine.load(folder.resolve("none.tenon"))).hasMessageContaining("none.tenon");
        assertThatThrownBy(() -> Engine.load(folder))
                .hasMessageContaining(folder.getFileName().toString());
    }

    @Test
    void aFolderThatCannotBeMadeIsTold() throws Exception {
        try (Engine engine = Engine.load(saved)) {
            assertThatThrownBy(() -> engine.save(saved.resolve("x.tenon")))
                    .isInstanceOf(EngineFormatException.class)
                    .hasMessageContaining("x.tenon");
            assertThatCode(() -> engine.save(folder.resolve("new/deep/x.tenon")))
                    .doesNotThrowAnyException();
        }
        assertThat(folder.resolve("new/deep"))
                .isDirectoryNotContaining(p -> p.toString().contains(".part"));
    }
}
