package dev.tenon.internal.onnx;

import static dev.tenon.internal.onnx.Protos.INITIALIZER;
import static dev.tenon.internal.onnx.Protos.INPUT;
import static dev.tenon.internal.onnx.Protos.OUTPUT;
import static dev.tenon.internal.onnx.Protos.graph;
import static dev.tenon.internal.onnx.Protos.message;
import static dev.tenon.internal.onnx.Protos.model;
import static dev.tenon.internal.onnx.Protos.node;
import static dev.tenon.internal.onnx.Protos.tensor;
import static dev.tenon.internal.onnx.Protos.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.ModelFormatException;
import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** External data: what is mapped, and what a model may not reach. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class ExternalDataTest {
    @TempDir
    private Path temp;

    private Path folder;
    private MemoryScope memory;

    @BeforeEach
    void open() throws IOException {
        memory = MemoryScope.confined("test");
        folder = Files.createDirectories(temp.resolve("model"));
        Files.write(folder.resolve("w.bin"), floats(0, 1, 2, 3));
        Files.write(temp.resolve("secret.bin"), floats(4, 5, 6, 7));
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private static byte[] floats(float... values) {
        ByteBuffer b = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float v : values) {
            b.putFloat(v);
        }
        return b.array();
    }

    /** Entries of one tensor of two floats: key, value, key, value ... */
    private static WireWriter external(String name, String... entries) {
        return tensor(name, 1, new long[] {2}, t -> {
            for (int i = 0; i < entries.length; i += 2) {
                String key = entries[i];
                String text = entries[i + 1];
                t.message(13, message(e -> e.text(1, key).text(2, text)));
            }
            t.int64(14, 1);
        });
    }

    private List<Tensor> read(ImportOptions options, WireWriter... tensors) throws IOException {
        WireWriter g = graph(node("Relu", "x", "y"));
        for (WireWriter t : tensors) {
            g.message(INITIALIZER, t);
        }
        g.message(INPUT, value("x", DataType.FLOAT32, 2)).message(OUTPUT, value("y", DataType.FLOAT32, 2));
        Path file = folder.resolve("m.onnx");
        Files.write(file, model(g).toByteArray());
        ImportedModel m = OnnxImporter.read(file, options, memory);
        return new ArrayList<>(m.graph().constants().values());
    }

    private void rejects(String part, String... entries) {
        assertThatThrownBy(() -> read(ImportOptions.DEFAULT, external("w", entries)))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("tensor 'w'")
                .hasMessageContaining("graph.initializer[0]")
                .hasMessageContaining(part);
    }

    @Test
    void dataAreViewsOfOneMap() throws IOException {
        List<Tensor> t = read(
                ImportOptions.DEFAULT,
                external("a", "location", "w.bin", "offset", "0", "length", "8"),
                external("b", "location", "w.bin", "offset", "8"),
                external("tied", "location", "./w.bin", "offset", "8"));
        assertThat(t.get(0).toFloatArray()).containsExactly(0, 1);
        assertThat(t.get(1).toFloatArray()).containsExactly(2, 3);
        assertThat(t.get(2).toFloatArray()).containsExactly(2, 3);
        assertThat(t.get(1).segment().address() - t.get(0).segment().address()).isEqualTo(8);
        assertThat(t.get(2).segment().address()).isEqualTo(t.get(1).segment().address());
        assertThat(t.get(0).segment().isReadOnly()).isTrue();
    }

    @Test
    void dataInAFolderBelow() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        Files.write(folder.resolve("data/w.bin"), floats(8, 9));
        assertThat(read(ImportOptions.DEFAULT, external("w", "location", "data/w.bin"))
                        .getFirst()
                        .toFloatArray())
                .containsExactly(8, 9);
    }

    @Test
    void checksumsThatDiffer() {
        rejects("SHA-1", "location", "w.bin", "checksum", "0".repeat(40));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret.bin", "a/../../secret.bin", "..", "../../../../../../etc/passwd"})
    void traversal(String location) {
        rejects("leaves the model's folder", "location", location);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "/dev/zero", "", " ", "..\\secret.bin", "C:\\secret.bin"})
    void notRelative(String location) {
        rejects("not a path relative to the model's folder", "location", location);
    }

    @ParameterizedTest
    @ValueSource(strings = {"*/_ORT_MEM_ADDR_/*", "__MEMORY__", "tenon:0x1000", "missing.bin"})
    void markersAreNamesOfFilesThatAreNotThere(String location) {
        rejects("cannot be read", "location", location);
    }

    @Test
    void nulInALocation() {
        rejects("no path", "location", "w.bin\0.txt");
    }

    @Test
    void symbolicLinks() throws IOException {
        Files.createSymbolicLink(folder.resolve("link.bin"), temp.resolve("secret.bin"));
        Files.createSymbolicLink(folder.resolve("inner.bin"), Path.of("w.bin"));
        Files.createSymbolicLink(folder.resolve("parent"), temp);
        rejects("symbolic link", "location", "link.bin");
        rejects("symbolic link", "location", "inner.bin");
        rejects("symbolic link", "location", "parent/secret.bin");
    }

    @Test
    void linksIntoTheTrustedRootAreFollowed() throws IOException {
        Path blobs = Files.createDirectories(temp.resolve("cache/blobs"));
        Files.write(blobs.resolve("abc"), floats(1, 2));
        Files.createSymbolicLink(folder.resolve("model.onnx_data"), blobs.resolve("abc"));
        Files.createSymbolicLink(folder.resolve("elsewhere"), temp.resolve("secret.bin"));
        ImportOptions trusting = ImportOptions.DEFAULT.withTrustedRoot(temp.resolve("cache"));
        assertThat(read(trusting, external("w", "location", "model.onnx_data"))
                        .getFirst()
                        .toFloatArray())
                .containsExactly(1, 2);
        assertThatThrownBy(() -> read(trusting, external("w", "location", "elsewhere")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("symbolic link");
    }

    @Test
    void hardLinks() throws IOException {
        Files.createLink(folder.resolve("hard.bin"), temp.resolve("secret.bin"));
        rejects("hard links", "location", "hard.bin");
        assertThat(read(ImportOptions.DEFAULT.withTrustedRoot(temp), external("w", "location", "hard.bin")))
                .hasSize(1);
    }

    @Test
    void pipesAreNotOpened() throws Exception {
        Path pipe = folder.resolve("pipe");
        Process mkfifo;
        try {
            mkfifo = new ProcessBuilder("mkfifo", pipe.toString()).start();
        } catch (IOException e) {
            Assumptions.abort("mkfifo is not there: " + e.getMessage());
            return;
        }
        Assumptions.assumeTrue(mkfifo.waitFor() == 0, "mkfifo failed");
        rejects("not a regular file", "location", "pipe");
        assertThatThrownBy(() -> OnnxImporter.read(pipe, ImportOptions.DEFAULT, memory))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("not a regular file");
    }

    @Test
    void foldersAreNoData() throws IOException {
        Files.createDirectories(folder.resolve("d"));
        rejects("not a regular file", "location", "d");
        rejects("not a regular file", "location", ".");
    }

    @Test
    void ranges() {
        rejects("ends past", "location", "w.bin", "offset", "12");
        rejects("ends past", "location", "w.bin", "offset", Long.toString(Long.MAX_VALUE));
        rejects("negative", "location", "w.bin", "offset", "-8");
        rejects("negative", "location", "w.bin", "length", "-1");
        rejects("needs 8", "location", "w.bin", "length", Long.toString(1L << 62));
        rejects("no number", "location", "w.bin", "length", "8 bytes");
        rejects("no number", "location", "w.bin", "offset", "99999999999999999999");
    }

    @Test
    void keys() {
        rejects("'__class__' is unknown", "location", "w.bin", "__class__", "x");
        rejects("given twice", "location", "w.bin", "location", "w.bin");
        rejects("not a path relative", "offset", "0");
    }

    @Test
    void tensorsThatShareSomeBytes() {
        assertThatThrownBy(() -> read(
                        ImportOptions.DEFAULT,
                        external("a", "location", "w.bin", "offset", "0"),
                        external("b", "location", "w.bin", "offset", "4")))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("tensor 'b'")
                .hasMessageContaining("overlap");
    }

    @Test
    void dataInBothPlaces() {
        WireWriter both = tensor(
                "w",
                1,
                new long[] {2},
                t -> t.bytes(9, new byte[8])
                        .message(13, message(e -> e.text(1, "location").text(2, "w.bin")))
                        .int64(14, 1));
        assertThatThrownBy(() -> read(ImportOptions.DEFAULT, both)).hasMessageContaining("external data and data");
        WireWriter text = tensor(
                "w",
                8,
                new long[] {1},
                t -> t.message(13, message(e -> e.text(1, "location").text(2, "w.bin")))
                        .int64(14, 1));
        assertThatThrownBy(() -> read(ImportOptions.DEFAULT, text)).hasMessageContaining("text cannot be external");
    }

    @Test
    void modelsInMemoryHaveNone() {
        WireWriter g = graph(node("Relu", "x", "y")).message(INITIALIZER, external("w", "location", "w.bin"));
        assertThatThrownBy(() -> Protos.read(model(g), memory)).hasMessageContaining("read from a file");
    }

    @Test
    void knownSha1() throws IOException {
        // SHA-1 of "abc", from FIPS 180.
        Files.write(folder.resolve("abc"), "abc".getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        String sha1 = "A9993E364706816ABA3E25717850C26C9CD0D89D";
        WireWriter bytes = tensor(
                "w",
                2,
                new long[] {3},
                t -> t.message(13, message(e -> e.text(1, "location").text(2, "abc")))
                        .message(13, message(e -> e.text(1, "checksum").text(2, sha1)))
                        .int64(14, 1));
        assertThat(read(ImportOptions.DEFAULT, bytes).getFirst().toLongArray()).containsExactly(97, 98, 99);
    }
}
