package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageInputTest {
    private final MemoryScope scope = MemoryScope.shared("test");

    @TempDir
    Path folder;

    @AfterEach
    void free() {
        scope.close();
    }

    private Path png(int width, int height, int type) throws Exception {
        BufferedImage image = new BufferedImage(width, height, type);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                if (type == BufferedImage.TYPE_BYTE_GRAY) {
                    image.getRaster().setSample(x, y, 0, 10 * y + x);
                } else {
                    image.setRGB(x, y, (10 * y + x) << 16 | 100 << 8 | 200);
                }
            }
        }
        Path file = folder.resolve("image" + type + ".png");
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private static TensorInfo info(DataType type, String... dims) {
        return new TensorInfo("image", type, List.of(dims));
    }

    @Test
    void greyLevelsAreThoseOfTheFile() throws Exception {
        Path file = png(4, 3, BufferedImage.TYPE_BYTE_GRAY);
        Tensor t = ImageInput.read(
                file, info(DataType.FLOAT32, "N", "1", "3", "4"), DataType.FLOAT32, ImageSettings.DEFAULT, scope);
        assertThat(t.shape()).isEqualTo(Shape.of(1, 1, 3, 4));
        for (int y = 0; y < 3; y++) {
            for (int x = 0; x < 4; x++) {
                assertThat(t.getDouble(4 * y + x)).isCloseTo((10 * y + x) / 255.0, within(1e-6));
            }
        }
    }

    @Test
    void coloursLieWhereTheLayoutPutsThem() throws Exception {
        Path file = png(2, 2, BufferedImage.TYPE_INT_RGB);
        Tensor planes = ImageInput.read(
                file, info(DataType.UINT8, "1", "3", "2", "2"), DataType.UINT8, ImageSettings.DEFAULT, scope);
        assertThat(planes.toIntArray()).containsExactly(0, 1, 10, 11, 100, 100, 100, 100, 200, 200, 200, 200);
        Tensor pixels = ImageInput.read(
                file, info(DataType.UINT8, "1", "2", "2", "3"), DataType.UINT8, ImageSettings.DEFAULT, scope);
        assertThat(pixels.toIntArray()).containsExactly(0, 100, 200, 1, 100, 200, 10, 100, 200, 11, 100, 200);
        Tensor plain =
                ImageInput.read(file, info(DataType.UINT8, "2", "2"), DataType.UINT8, ImageSettings.DEFAULT, scope);
        assertThat(plain.getLong(0)).isEqualTo(Math.round(0.587 * 100 + 0.114 * 200));
    }

    @Test
    void settingsOfTheModelAndTheCallerApply() throws Exception {
        Path file = png(2, 2, BufferedImage.TYPE_INT_RGB);
        ImageSettings s = ImageSettings.of(Map.of(
                "tenon.image",
                "{\"channels\": 3, \"mean\": [0, 0.5, 0], \"std\": [1, 2, 4], \"resize\": \"nearest\"}"));
        assertThat(s.resize()).isEqualTo(Resize.NEAREST);
        Tensor t = ImageInput.read(file, info(DataType.FLOAT32, "1", "3", "2", "2"), DataType.FLOAT32, s, scope);
        assertThat(t.getDouble(4)).isCloseTo((100 / 255.0 - 0.5) / 2, within(1e-6));
        assertThat(t.getDouble(8)).isCloseTo(200 / 255.0 / 4, within(1e-6));
        ImageSettings raw = s.with(Resize.AREA, new double[] {0}, new double[] {1}, 1.0);
        assertThat(ImageInput.read(file, info(DataType.FLOAT32, "1", "3", "1", "1"), DataType.FLOAT32, raw, scope)
                        .toFloatArray())
                .containsExactly(5.5f, 100, 200);
        assertThatThrownBy(() -> ImageSettings.of(Map.of("tenon.image", "{\"resize\": \"magic\"}")))
                .hasMessageContaining("tenon.image");
    }

    @Test
    void openSizesAndWrongShapesAreRefused() throws Exception {
        Path file = png(2, 2, BufferedImage.TYPE_INT_RGB);
        assertThatThrownBy(() -> ImageInput.read(
                        file,
                        info(DataType.FLOAT32, "N", "3", "height", "width"),
                        DataType.FLOAT32,
                        ImageSettings.DEFAULT,
                        scope))
                .hasMessageContaining("--shape image=");
        assertThatThrownBy(() -> ImageInput.read(
                        file, info(DataType.FLOAT32, "10"), DataType.FLOAT32, ImageSettings.DEFAULT, scope))
                .hasMessageContaining("does not fit");
        assertThatThrownBy(() -> ImageInput.read(
                        file,
                        info(DataType.FLOAT32, "2", "3", "2", "2"),
                        DataType.FLOAT32,
                        ImageSettings.DEFAULT,
                        scope))
                .hasMessageContaining("one image does not fill");
    }

    @Test
    void damagedImagesAreRefusedByName() throws Exception {
        TensorInfo info = info(DataType.FLOAT32, "1", "1", "3", "4");
        Path text = Files.writeString(folder.resolve("t.png"), "no image");
        assertThatThrownBy(() -> ImageInput.read(text, info, DataType.FLOAT32, ImageSettings.DEFAULT, scope))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("t.png");
        byte[] bytes = Files.readAllBytes(png(4, 3, BufferedImage.TYPE_BYTE_GRAY));
        Path cut = Files.write(folder.resolve("cut.png"), Arrays.copyOf(bytes, 30));
        assertThatThrownBy(() -> ImageInput.read(cut, info, DataType.FLOAT32, ImageSettings.DEFAULT, scope))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("cut.png");
        // The size in the header, at byte 16, claims 2^31 - 1 pixels a side.
        byte[] bomb = bytes.clone();
        for (int i = 16; i < 24; i++) {
            bomb[i] = (byte) (i % 4 == 0 ? 0x7F : 0xFF);
        }
        Path huge = Files.write(folder.resolve("huge.png"), bomb);
        assertThatThrownBy(() -> ImageInput.read(huge, info, DataType.FLOAT32, ImageSettings.DEFAULT, scope))
                .isInstanceOf(CliException.class)
                .hasMessageContaining("huge.png");
    }
}
