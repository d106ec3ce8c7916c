package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Agreement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompareCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    @Test
    void equalModelsAgree() throws Exception {
        Path model = Cli.layerModel(folder);
        Cli r = Cli.run("compare", model, model, "--random");
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("y ", "all 1 are within");
    }

    @Test
    @SuppressWarnings("unchecked")
    void otherWeightsDiffer() throws Exception {
        Path model = Cli.layerModel(folder);
        Path other = Files.write(folder.resolve("other.onnx"), OnnxBytes.layer(Cli.WEIGHTS, new float[] {0.75f, -1}));
        Path x = Files.writeString(folder.resolve("x.json"), "[[1, 1, 0]]");
        Cli r = Cli.run("compare", model, other, "--input", "x=" + x, "--json");
        assertThat(r.code()).isEqualTo(1);
        Map<String, Object> y = ((List<Map<String, Object>>) r.json().get("outputs")).getFirst();
        assertThat(y.get("max_abs")).isEqualTo(0.25);
        assertThat(y.get("within")).isEqualTo(false);
        assertThat(Cli.run("compare", model, other, "-i", x, "--atol", "0.3").code())
                .isZero();
        assertThat(Cli.run("compare", model, other, "-i", x).out()).contains("DIFFERS", "1 of 1 differ");
    }

    @Test
    void layersAreComparedWithTheInterpreter() throws Exception {
        Path model = Cli.layerModel(folder);
        Cli r = Cli.run("compare", model, model, "--layers", "--random");
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        assertThat(r.out()).containsPattern("(?m)^y .*float32\\[1x2]");

        Path other = Files.write(folder.resolve("other.onnx"), OnnxBytes.layer(Cli.WEIGHTS, new float[] {5, 5}));
        assertThat(Cli.run("compare", model, other, "--layers", "--random").code())
                .isEqualTo(1);
    }

    @Test
    void modelsThatCannotBeComparedAreRefused() throws Exception {
        Path model = Cli.layerModel(folder);
        Path product = Files.write(folder.resolve("product.onnx"), OnnxBytes.matMul(4));
        Cli r = Cli.run("compare", model, product, "--random");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("cannot be compared");
        assertThat(Cli.run("compare", model, model).err()).contains("no value for x");
        assertThat(Cli.run("compare", model, folder.resolve("none.onnx")).err()).contains("no such file");
    }

    @Test
    void differencesAreMeasured() {
        try (MemoryScope scope = MemoryScope.shared("test")) {
            Tensor e = Cli.floats(scope, new float[] {1, 2, 0, 4}, 4);
            Tensor a = Cli.floats(scope, new float[] {1, 2.5f, 0.25f, 4}, 4);
            Difference d = Difference.of(e, a, new Agreement(0, 0.3));
            assertThat(d.maxAbsolute()).isEqualTo(0.5);
            assertThat(d.maxRelative()).isEqualTo(0.25);
            assertThat(d.cosine()).isCloseTo(22 / (Math.sqrt(21) * Math.sqrt(1 + 6.25 + 0.0625 + 16)), within(1e-12));
            assertThat(d.isWithin()).isFalse();
            assertThat(Difference.of(e, e, Agreement.DEFAULT)).isEqualTo(new Difference(0, 0, 1, ""));
        }
    }
}
