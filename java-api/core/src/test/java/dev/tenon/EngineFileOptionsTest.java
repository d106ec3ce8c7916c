package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Options for engine files, and headers that are well-formed and say what cannot be. */
class EngineFileOptionsTest {
    private static final int PREFIX_BYTES = 64;

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void save() throws Exception {
        file = folder.resolve("dense.tenon");
        try (Engine engine = Engine.load(Models.denseOpen(folder))) {
            engine.save(file);
        }
    }

    @Test
    void aShapeFixesTheInputOfAnEngineFile() {
        float[] x = Models.values(12, 3);
        try (Engine engine = Engine.builder(file).shape("x", 3, 4).build();
                Session session = engine.newSession()) {
            assertThat(engine.inputs().getFirst().isFixed()).isTrue();
            session.input("x").copyFrom(x);
            session.run();
            assertThat(session.output("y").toFloatArray()).hasSize(9);
            assertThat(session.output("y").shape()).isEqualTo(Shape.of(3, 3));
            assertThatThrownBy(() -> session.input("x", 2, 4)).isInstanceOf(ShapeException.class);
        }
        assertThatThrownBy(() -> Engine.builder(file).shape("x", 3, 5).build())
                .isInstanceOf(ShapeException.class)
                .hasMessageContaining("3x5");
    }

    @Test
    void aBuilderMayBeChangedAfterItBuilt() {
        Engine.Builder builder = Engine.builder(file);
        try (Engine open = builder.build();
                Engine fixed = builder.shape("x", 2, 4).build()) {
            assertThat(open.inputs().getFirst().isFixed()).isFalse();
            assertThat(fixed.inputs().getFirst().isFixed()).isTrue();
            try (Tensor x = Tensor.of(new float[20], 5, 4)) {
                Map<String, Tensor> y = open.run(Map.of("x", x));
                assertThat(y.get("y").shape()).isEqualTo(Shape.of(5, 3));
                y.values().forEach(Tensor::close);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"shape\":[4,3]      | \"shape\":[4,-3]",
                "\"shape\":[4,3]      | \"shape\":[3,4]",
                "\"shape\":[4,3]      | \"shape\":[4611686018427387904,4611686018427387904]",
                "\"outputs\":[\"y\"]  | \"outputs\":[]",
                "\"out\":[            | \"out\":[99999999999,",
                "\"in\":[             | \"in\":[12,",
                "\"precision\":\"FP32\" | \"precision\":\"FP31\"",
                "\"inputs\":[0]       | \"inputs\":[0,0]",
                "\"op\":\"            | \"op\":\"No",
            })
    void refusesAHeaderThatContradictsItself(String from, String to) throws Exception {
        Path changed = withHeader(from.strip(), to.strip());
        assertThatThrownBy(() -> Engine.load(changed))
                .isInstanceOf(EngineFormatException.class)
                .hasMessageContaining(changed.getFileName().toString());
    }

    /** A copy of the file with one change in its header and a checksum that agrees. */
    private Path withHeader(String from, String to) throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.toIntExact(b.getLong(16));
        int start = Math.toIntExact(b.getLong(24));
        String header = new String(bytes, PREFIX_BYTES, length, StandardCharsets.UTF_8);
        assertThat(header).contains(from);
        byte[] json = header.replace(from, to).getBytes(StandardCharsets.UTF_8);
        assertThat(PREFIX_BYTES + json.length).isLessThanOrEqualTo(start);
        System.arraycopy(json, 0, bytes, PREFIX_BYTES, json.length);
        CRC32C crc = new CRC32C();
        crc.update(json);
        b.putInt(12, (int) crc.getValue()).putLong(16, json.length);
        return Files.write(folder.resolve("changed.tenon"), bytes);
    }
}
