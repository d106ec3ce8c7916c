package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.Tensor;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxTensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    private static final List<String> DIGITS =
            List.of("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine");

    @TempDir
    Path folder;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    @Test
    void runsOnAFileAndWritesOutputs() throws Exception {
        Path model = Cli.layerModel(folder);
        Path json = Files.writeString(folder.resolve("x.json"), "[[1, 2, 3], [-1, 0.5, 0]]");
        Cli r = Cli.run("run", model, "--input", "x=" + json, "--output", folder.resolve("out"));
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        assertThat(r.out()).contains("y  float32[2x2]", "latency", "layers (");
        try (MemoryScope scope = MemoryScope.shared("test")) {
            Tensor y = NpyFile.read(folder.resolve("out/y.npy"), scope);
            assertThat(y.toFloatArray()).containsExactly(0, 11, 0.5f, 0.25f);

            // The written output is a valid input of the same kinds.
            Path npy = folder.resolve("x.npy");
            NpyFile.write(npy, Cli.floats(scope, new float[] {1, 2, 3}, 1, 3));
            OnnxTensorFile.write(folder.resolve("x.pb"), "x", Cli.floats(scope, new float[] {1, 2, 3}, 1, 3));
        }
        Object fromNpy = output(Cli.run("run", model, "-i", folder.resolve("x.npy"), "--json"), "y")
                .get("first");
        assertThat(fromNpy).isEqualTo(List.of(0.0, 11.0));
        assertThat(output(Cli.run("run", model, "-i", folder.resolve("x.pb"), "--json"), "y")
                        .get("first"))
                .isEqualTo(fromNpy);
    }

    @Test
    void missingInputsAreNamed() throws Exception {
        Cli r = Cli.run("run", Cli.layerModel(folder));
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("no value for x float32[Nx3]", "--random", "--zeros");
    }

    @Test
    void wrongInputsAreNamed() throws Exception {
        Path model = Cli.layerModel(folder);
        Path npy = folder.resolve("x.npy");
        try (MemoryScope scope = MemoryScope.shared("test")) {
            NpyFile.write(npy, Cli.floats(scope, new float[] {1, 2, 3, 4}, 1, 4));
        }
        assertThat(Cli.run("run", model, "-i", npy).err()).contains("x", "1x4", "Nx3");
        assertThat(Cli.run("run", model, "-i", "z=" + npy).err()).contains("no input 'z'", "x float32[Nx3]");
        assertThat(Cli.run("run", model, "-i", folder.resolve("nope.npy")).err())
                .contains("no such file");
        assertThat(Cli.run("run", model, "-i", Files.createFile(folder.resolve("x.txt")))
                        .err())
                .contains(".txt are not read");
        assertThat(Cli.run("run", model, "-i", npy, "-i", npy).err()).contains("twice");
    }

    @Test
    void randomAndZerosFillInputs() throws Exception {
        Path model = Cli.layerModel(folder);
        assertThat(output(Cli.run("run", model, "--zeros", "--json"), "y").get("first"))
                .isEqualTo(List.of(0.5, 0.0));
        Map<String, Object> a = output(Cli.run("run", model, "--random", "--shape", "x=4x3", "--json"), "y");
        Map<String, Object> b = output(Cli.run("run", model, "--random", "--shape", "x=4x3", "--json"), "y");
        Map<String, Object> c =
                output(Cli.run("run", model, "--random", "--seed", "2", "--shape", "x=4x3", "--json"), "y");
        assertThat(a.get("shape")).isEqualTo(List.of(4L, 2L));
        assertThat(a.get("first")).isEqualTo(b.get("first")).isNotEqualTo(c.get("first"));
    }

    @Test
    void namedDimensionsGetTheirSizes() throws Exception {
        Path model = Cli.layerModel(folder);
        assertThat(output(Cli.run("run", model, "--zeros", "--dim", "N=7", "--json"), "y")
                        .get("shape"))
                .isEqualTo(List.of(7L, 2L));
        Cli r = Cli.run("run", model, "--zeros", "--dim", "M=7");
        assertThat(r.code()).isEqualTo(2);
        assertThat(r.err()).contains("--dim M: the named open dimensions of the model are [N]");
        assertThat(Cli.run("run", model, "--zeros", "--dim", "N=-1").err()).contains("cannot be negative");
    }

    @Test
    void topShowsLabels() throws Exception {
        Path model = Cli.layerModel(folder);
        Path x = Files.writeString(folder.resolve("x.json"), "[[1, 2, 3]]");
        Path labels = Files.writeString(folder.resolve("labels.txt"), "cat\ndog\n");
        Cli r = Cli.run("run", model, "-i", x, "--top", "1", "--labels", labels);
        assertThat(r.out()).contains("top 1 of y").containsPattern("1 +dog +11\\.0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"area", "bilinear"})
    void readsEveryDigitAsTheExampleSays(String resize) throws Exception {
        Path digits = Cli.root().resolve("examples/digits");
        try (MemoryScope scope = MemoryScope.shared("test")) {
            Tensor expected = NpyFile.read(digits.resolve("expected/" + resize + ".npy"), scope);
            for (int d = 0; d < 10; d += resize.equals("area") ? 1 : 4) {
                Path out = folder.resolve("out" + d);
                Cli r = Cli.run(
                        "run",
                        digits.resolve("digits.onnx"),
                        "--input",
                        digits.resolve(DIGITS.get(d) + ".png"),
                        "--resize",
                        resize,
                        "--top",
                        "3",
                        "--output",
                        out);
                assertThat(r.err()).isEmpty();
                assertThat(r.out()).containsPattern("class +label +score *\\R +" + d + " +" + d + " +[01]\\.");
                Tensor p = NpyFile.read(out.resolve("probabilities.npy"), scope);
                for (int c = 0; c < 10; c++) {
                    assertThat(p.getDouble(c)).isCloseTo(expected.getDouble(10 * d + c), within(1e-4));
                }
            }
        }
    }

    @Test
    void outputNamesCannotLeaveTheFolder() {
        assertThat(RunCommand.fileName("../../etc/x")).isEqualTo("_.._.._etc_x.npy");
        assertThat(RunCommand.fileName("a/b")).isEqualTo("a_b.npy");
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> output(Cli r, String name) {
        assertThat(r.err()).isEmpty();
        assertThat(r.code()).isZero();
        return (Map<String, Object>) ((Map<String, Object>) r.json().get("outputs")).get(name);
    }
}
