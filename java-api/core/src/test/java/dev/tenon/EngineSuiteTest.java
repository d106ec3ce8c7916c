package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.onnx.SuiteExpectations;
import dev.tenon.internal.onnx.SuiteRunner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ONNX suite and the sample models through engines, as users run them. */
class EngineSuiteTest {
    @TestFactory
    List<DynamicTest> suite() throws IOException {
        return tests("onnx-suite");
    }

    @TestFactory
    List<DynamicTest> models() throws IOException {
        return tests("models");
    }

    private static Path folder(String name) {
        Path root = SuiteRunner.sharedFolder().resolve(name);
        Assumptions.assumeTrue(
                Files.isDirectory(root), root + " is absent; set -Dtenon.shared to the folder with the ONNX suite");
        return root;
    }

    private static List<DynamicTest> tests(String folder) throws IOException {
        Path root = folder(folder);
        Set<String> unsupported = SuiteExpectations.read();
        List<DynamicTest> tests = new ArrayList<>();
        for (OnnxTestCase c : OnnxTestCase.find(root)) {
            tests.add(DynamicTest.dynamicTest(c.name(), () -> {
                if (unsupported.contains(c.name())) {
                    assertThatThrownBy(() -> EngineSuite.run(c)).isInstanceOf(UnsupportedOperatorException.class);
                } else {
                    assertThat(EngineSuite.run(c)).as(c.name()).isEqualTo(Optional.empty());
                }
            }));
        }
        return tests;
    }

    /** The instruction set is chosen once a process, so lower ones run in processes of their own. */
    @ParameterizedTest
    @ValueSource(strings = {"scalar", "avx2"})
    @Timeout(300)
    void lowerInstructionSets(String isa) throws Exception {
        Path suite = folder("onnx-suite");
        ProcessBuilder builder = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dtenon.native.path=" + System.getProperty("tenon.native.path", ""),
                        "-cp",
                        System.getProperty("java.class.path"),
                        EngineSuite.class.getName(),
                        suite.toString(),
                        "conv",
                        "pool",
                        "matmul",
                        "gemm",
                        "softmax",
                        "normalization",
                        "reduce",
                        "attention",
                        "lstm",
                        "gru",
                        "gelu",
                        "simple/",
                        "resize",
                        "quantize",
                        "gather",
                        "transpose",
                        "where")
                .redirectErrorStream(true);
        builder.environment().put("TENON_MAX_ISA", isa);
        Process p = builder.start();
        String text = new String(p.getInputStream().readAllBytes());
        assertThat(p.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(text).doesNotContain("FAIL").contains("PASS=");
        assertThat(p.exitValue()).as(text).isZero();
    }
}
