package dev.tenon.internal.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The ONNX backend suite and the sample models, through import and the reference interpreter. What is listed as unsupported
 * must be so, and everything else must pass.
 */
class OnnxSuiteTest {
    @TestFactory
    List<DynamicTest> suite() throws IOException {
        return tests("onnx-suite");
    }

    @TestFactory
    List<DynamicTest> models() throws IOException {
        return tests("models");
    }

    private static List<DynamicTest> tests(String folder) throws IOException {
        Path root = SuiteRunner.sharedFolder().resolve(folder);
        Assumptions.assumeTrue(
                Files.isDirectory(root), root + " is absent; set -Dtenon.shared to the folder with the ONNX suite");
        Set<String> unsupported = SuiteExpectations.read();
        Set<String> unknown = new TreeSet<>(unsupported);
        List<DynamicTest> tests = new ArrayList<>();
        for (OnnxTestCase c : OnnxTestCase.find(root)) {
            unknown.remove(c.name());
            tests.add(DynamicTest.dynamicTest(c.name(), () -> check(c, unsupported.contains(c.name()))));
        }
        unknown.removeIf(name -> name.startsWith("models/") != folder.equals("models"));
        tests.add(DynamicTest.dynamicTest(
                "every listed case exists", () -> assertThat(unknown).isEmpty()));
        return tests;
    }

    private static void check(OnnxTestCase c, boolean listed) {
        SuiteRunner.Outcome o = SuiteRunner.run(c);
        SuiteRunner.Status expected = listed ? SuiteRunner.Status.UNSUPPORTED : SuiteRunner.Status.PASS;
        if (o.status() != expected) {
            throw new AssertionError(
                    c.name() + " is " + o.status() + ", expected " + expected + ": " + o.detail(), o.cause());
        }
    }
}
