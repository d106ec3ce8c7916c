package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WavInputTest {
    private static final double[] WAVE = {0, 0.5, -0.5, 0.25, -1, 0.75};

    private final MemoryScope scope = MemoryScope.shared("test");

    @TempDir
    Path folder;

    @AfterEach
    void free() {
        scope.close();
    }

    @ParameterizedTest
    @CsvSource({"1,8", "1,16", "1,24", "1,32", "3,32", "3,64"})
    void everySampleFormatGivesTheSameWave(int code, int bits) throws Exception {
        Path file = wav(code, 1, bits, WAVE, true);
        Tensor t = WavInput.read(file, info("1", "samples"), DataType.FLOAT32, scope);
        assertThat(t.shape()).isEqualTo(Shape.of(1, WAVE.length));
        for (int i = 0; i < WAVE.length; i++) {
            assertThat(t.getDouble(i)).isEqualTo(WAVE[i]);
        }
    }

    @Test
    void channelsAreMixedOrKeptAsTheInputAsks() throws Exception {
        Path file = wav(1, 2, 16, WAVE, true);
        assertThat(WavInput.read(file, info("samples"), DataType.FLOAT32, scope).toFloatArray())
                .containsExactly(0.25f, -0.125f, -0.125f);
        Tensor both = WavInput.read(file, info("1", "2", "samples"), DataType.FLOAT32, scope);
        assertThat(both.shape()).isEqualTo(Shape.of(1, 2, 3));
        assertThat(both.toFloatArray()).containsExactly(0, -0.5f, -1, 0.5f, 0.25f, 0.75f);
        assertThatThrownBy(() -> WavInput.read(file, info("1", "3", "samples"), DataType.FLOAT32, scope))
                .hasMessageContaining("2 channels");
    }

    @Test
    void lengthsThatDoNotFitAreRefused() throws Exception {
        Path file = wav(1, 1, 16, WAVE, true);
        assertThatThrownBy(() -> WavInput.read(file, info("1", "512"), DataType.FLOAT32, scope))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("6 samples at 16000 Hz")
                .hasMessageContaining("512");
    }

    @Test
    void damagedFilesAreRefusedByName() throws Exception {
        Path text = Files.writeString(folder.resolve("t.wav"), "RIFF but nothing else follows here");
        assertThatThrownBy(() -> WavInput.decode(text))
                .hasMessageContaining("t.wav")
                .isInstanceOf(CliException.class);
        assertThatThrownBy(() -> WavInput.decode(wav(1, 1, 16, WAVE, false))).hasMessageContaining("without samples");
        assertThatThrownBy(() -> WavInput.decode(wav(2, 1, 4, WAVE, true))).hasMessageContaining("not supported");
        byte[] bytes = Files.readAllBytes(wav(1, 1, 16, WAVE, true));
        for (int length = 0; length < bytes.length; length++) {
            Path cut = Files.write(folder.resolve("cut.wav"), Arrays.copyOf(bytes, length));
            try {
                WavInput.decode(cut);
            } catch (CliException e) {
                assertThat(e).hasMessageContaining("cut.wav");
            }
        }
    }

    private static TensorInfo info(String... dims) {
        return new TensorInfo("audio", DataType.FLOAT32, List.of(dims));
    }

    private Path wav(int code, int channels, int bits, double[] wave, boolean withData) throws Exception {
        ByteBuffer b = ByteBuffer.allocate(512).order(ByteOrder.LITTLE_ENDIAN);
        b.put("RIFF".getBytes()).putInt(0).put("WAVE".getBytes());
        b.put("LIST".getBytes()).putInt(3).put(new byte[4]);
        b.put("fmt ".getBytes()).putInt(16).putShort((short) code).putShort((short) channels);
        b.putInt(16_000).putInt(16_000 * channels * bits / 8).putShort((short) (channels * bits / 8));
        b.putShort((short) bits);
        if (withData) {
            b.put("data".getBytes()).putInt(wave.length * bits / 8);
            for (double v : wave) {
                put(b, code, bits, v);
            }
        }
        b.putInt(4, b.position() - 8);
        return Files.write(
                folder.resolve("w" + code + "-" + bits + "-" + channels + withData + ".wav"),
                Arrays.copyOf(b.array(), b.position()));
    }

    private static void put(ByteBuffer b, int code, int bits, double v) {
        switch (bits) {
            case 8 -> b.put((byte) (128 + Math.round(v * 128)));
            case 16 -> b.putShort((short) Math.round(v * 32768));
            case 24 -> {
                int n = (int) Math.round(v * 8388608);
                b.put((byte) n).put((byte) (n >> 8)).put((byte) (n >> 16));
            }
            case 32 -> {
                if (code == 3) {
                    b.putFloat((float) v);
                } else {
                    b.putInt((int) Math.round(v * 2147483648.0));
                }
            }
            case 64 -> b.putDouble(v);
            default -> b.put((byte) 0);
        }
    }
}
