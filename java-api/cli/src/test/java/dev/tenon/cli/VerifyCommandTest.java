package dev.tenon.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxTensorFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyCommandTest {
    @TempDir
    Path tree;

    @BeforeEach
    void needsNativeLibrary() {
        Cli.needsNativeLibrary();
    }

    /** A case whose expected output is off by {@code error} in one element. */
    private Path testCase(String name, float error) throws Exception {
        Path folder = Files.createDirectories(tree.resolve(name));
        Cli.layerModel(folder);
        Path data = Files.createDirectories(folder.resolve("test_data_set_0"));
        try (MemoryScope scope = MemoryScope.shared("test")) {
            OnnxTensorFile.write(data.resolve("input_0.pb"), "x", Cli.floats(scope, new float[] {1, 2, 3}, 1, 3));
            OnnxTensorFile.write(
                    data.resolve("output_0.pb"), "y", Cli.floats(scope, new float[] {0, 11 + error}, 1, 2));
        }
        return folder;
    }

    @Test
    void passesAreCounted() throws Exception {
        testCase("good", 0);
        testCase("close", 0.005f);
        for (Cli r : new Cli[] {Cli.run("verify", tree), Cli.run("verify", tree, "--reference")}) {
            assertThat(r.err()).isEmpty();
            assertThat(r.code()).isZero();
            assertThat(r.lines().getLast()).isEqualTo("2 passed, 0 failed, 0 unsupported");
            assertThat(r.lines().getFirst()).startsWith("PASS ").endsWith("/close");
        }
    }

    @Test
    void aBadCaseStopsNoOther() throws Exception {
        testCase("a-wrong", 1);
        Files.write(Files.createDirectories(tree.resolve("b-garbage")).resolve("model.onnx"), new byte[] {1, 2, 3});
        Cli.layerModel(Files.createDirectories(tree.resolve("c-no-data")));
        unsupported(tree.resolve("d-unsupported"));
        testCase("e-good", 0);
        Cli r = Cli.run("verify", tree);
        assertThat(r.code()).isEqualTo(1);
        assertThat(r.lines()).hasSize(6);
        assertThat(r.lines().get(0)).startsWith("FAIL ").contains("a-wrong", "got 11.0, expected 12.0");
        assertThat(r.lines().get(1)).startsWith("FAIL ").contains("b-garbage");
        assertThat(r.lines().get(2)).startsWith("FAIL ").contains("no test_data_set_");
        assertThat(r.lines().get(3)).startsWith("UNSUPPORTED ").contains("Felt");
        assertThat(r.lines().get(4)).startsWith("PASS ");
        assertThat(r.lines().get(5)).isEqualTo("1 passed, 3 failed, 1 unsupported");
    }

    @Test
    @SuppressWarnings("unchecked")
    void jsonHoldsEveryCase() throws Exception {
        testCase("good", 0);
        testCase("wrong", 1);
        Map<String, Object> m = Cli.run("verify", tree, "--json").json();
        assertThat(m.get("passed")).isEqualTo(1L);
        assertThat(m.get("failed")).isEqualTo(1L);
        List<Map<String, Object>> cases = (List<Map<String, Object>>) m.get("cases");
        assertThat(cases).hasSize(2);
        assertThat(cases.get(1).get("why").toString()).contains("1 of 2 elements differ");
    }

    @Test
    void tolerancesComeFromOptionsThenTheCaseThenTheDefault() throws Exception {
        Path folder = testCase("off", 0.05f);
        assertThat(Cli.run("verify", folder).code()).isEqualTo(1);
        Files.writeString(folder.resolve("data.json"), "{\"atol\": 0.1}");
        assertThat(Cli.run("verify", folder).code()).isZero();
        assertThat(Cli.run("verify", folder, "--atol", "1e-6").code()).isEqualTo(1);
        assertThat(Cli.run("verify", folder, "--atol", "1e-6", "--rtol", "0.01").code())
                .isZero();
    }

    @Test
    void foldersWithoutCasesAreRefused() {
        assertThat(Cli.run("verify", tree).err()).contains("no model.onnx");
        assertThat(Cli.run("verify", tree).code()).isEqualTo(2);
        assertThat(Cli.run("verify", tree.resolve("nowhere")).err()).contains("no such folder");
        assertThat(Cli.run("verify").code()).isEqualTo(2);
    }

    private static void unsupported(Path folder) throws Exception {
        Path file = Cli.layerModel(Files.createDirectories(folder));
        byte[] bytes = Files.readAllBytes(file);
        // "Relu" becomes an operator that nobody has.
        for (int i = 0; i + 4 <= bytes.length; i++) {
            if (bytes[i] == 'R' && bytes[i + 1] == 'e' && bytes[i + 2] == 'l' && bytes[i + 3] == 'u') {
                System.arraycopy("Felt".getBytes(), 0, bytes, i, 4);
            }
        }
        Files.write(file, bytes);
    }
}
