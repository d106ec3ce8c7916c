package dev.tenon.internal.onnx;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The cases of the ONNX suite and the models that are known not to be supported. */
public final class SuiteExpectations {
    private static final String RESOURCE = "/onnx-node-expected.txt";

    private SuiteExpectations() {}

    public static Set<String> read() throws IOException {
        try (InputStream in = SuiteExpectations.class.getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IOException("resource " + RESOURCE + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(l -> !l.isBlank() && !l.startsWith("#"))
                    .collect(Collectors.toSet());
        }
    }

    /** The lines of the file for these cases. */
    static List<String> text(List<String> cases) {
        List<String> lines = new ArrayList<>();
        lines.add(
                "# Cases that use an operator without an import rule. All others must pass; one listed here must not.");
        lines.add("# Written by SuiteMain -e.");
        lines.addAll(cases);
        return lines;
    }
}
