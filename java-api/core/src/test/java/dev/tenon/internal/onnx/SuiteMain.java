package dev.tenon.internal.onnx;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Runs cases of the ONNX suite and prints one line each, without Maven:
 *
 * <pre>{@code
 * java -cp target/classes:target/test-classes dev.tenon.internal.onnx.SuiteMain [-v] [-f] [-e FILE] PATTERN...
 * }</pre>
 *
 * from {@code java-api/core} after {@code mvn test-compile}. A case runs if its name ({@code node/test_add},
 * {@code models/mnist}) contains one of the patterns; none means all. {@code -v} prints stack traces of failures, {@code -f}
 * leaves out what passes, {@code -e} writes the names of suite cases that are not supported to a file, as
 * {@code src/test/resources/onnx-node-expected.txt} holds them. The data are those of {@code -Dtenon.shared=FOLDER} or {@code TENON_SHARED}.
 */
public final class SuiteMain {
    private SuiteMain() {}

    public static void main(String[] args) throws IOException {
        List<String> patterns = new ArrayList<>();
        Path expectations = null;
        for (int i = 0; i < args.length; i++) {
            if (args[i].equals("-e")) {
                expectations = Path.of(args[++i]);
            } else if (!args[i].startsWith("-")) {
                patterns.add(args[i]);
            }
        }
        List<String> unsupported = new ArrayList<>();
        boolean traces = Arrays.asList(args).contains("-v");
        boolean failures = Arrays.asList(args).contains("-f");
        Path shared = SuiteRunner.sharedFolder();
        List<OnnxTestCase> cases = new ArrayList<>(OnnxTestCase.find(shared.resolve("onnx-suite")));
        cases.addAll(OnnxTestCase.find(shared.resolve("models")));
        Map<SuiteRunner.Status, Integer> totals = new EnumMap<>(SuiteRunner.Status.class);
        for (OnnxTestCase c : cases) {
            if (!patterns.isEmpty() && patterns.stream().noneMatch(c.name()::contains)) {
                continue;
            }
            SuiteRunner.Outcome o = SuiteRunner.run(c);
            if (o.status() == SuiteRunner.Status.UNSUPPORTED) {
                unsupported.add(c.name());
            }
            totals.merge(o.status(), 1, Integer::sum);
            if (!failures || o.status() != SuiteRunner.Status.PASS) {
                System.out.println(o.status() + " " + c.name() + (o.detail().isEmpty() ? "" : "  " + o.detail()));
            }
            if (traces && o.status() == SuiteRunner.Status.FAIL && o.cause() != null) {
                o.cause().printStackTrace(System.out);
            }
        }
        if (expectations != null) {
            Files.write(expectations, SuiteExpectations.text(unsupported));
        }
        System.out.println(totals.getOrDefault(SuiteRunner.Status.PASS, 0) + " passed, "
                + totals.getOrDefault(SuiteRunner.Status.FAIL, 0) + " failed, "
                + totals.getOrDefault(SuiteRunner.Status.UNSUPPORTED, 0) + " unsupported");
    }
}
