package dev.tenon.cli;

import dev.tenon.DeviceUnavailableException;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.reference.Agreement;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tenon verify}: runs ONNX test folders and compares with what they expect. */
@Command(
        name = "verify",
        description = {
            "Runs ONNX test folders and compares the outputs with those expected.",
            "Compares as ONNX's own runner does: rtol 1e-3, atol 1e-7, NaN equal; a case's data.json may set others."
        })
final class VerifyCommand extends CliCommand {
    @Parameters(
            arity = "1..*",
            paramLabel = "DIR",
            description = "A folder with model.onnx and test_data_set_*, or a tree of such folders.")
    List<Path> folders = List.of();

    @Mixin
    DeviceOptions device;

    @Option(names = "--reference", description = "Run the plain interpreter instead of the engine.")
    boolean reference;

    @Option(names = "--rtol", paramLabel = "X", description = "Relative tolerance for all cases.")
    @Nullable
    Double rtol;

    @Option(names = "--atol", paramLabel = "X", description = "Absolute tolerance for all cases.")
    @Nullable
    Double atol;

    @Override
    public Integer call() throws IOException {
        List<OnnxTestCase> cases = find();
        List<VerifyCase> results = new ArrayList<>();
        try (Progress progress = Progress.quiet("Verifying")) {
            for (OnnxTestCase c : cases) {
                progress.progress(c.name(), results.size(), cases.size());
                VerifyCase result = VerifyCase.run(c, () -> agreement(c), device, reference);
                results.add(result);
                if (!json) {
                    progress.clearLine();
                    out().println(result.line());
                    out().flush();
                }
            }
        }
        long passed = count(results, VerifyCase.Verdict.PASS);
        long failed = count(results, VerifyCase.Verdict.FAIL);
        long unsupported = count(results, VerifyCase.Verdict.UNSUPPORTED);
        if (json) {
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("passed", passed);
            m.put("failed", failed);
            m.put("unsupported", unsupported);
            m.put("cases", results.stream().map(VerifyCase::json).toList());
            printJson(m);
        } else {
            PrintWriter out = out();
            out.println(passed + " passed, " + failed + " failed, " + unsupported + " unsupported");
            out.flush();
        }
        return passed == results.size() ? DONE : ANSWER_IS_NO;
    }

    private static long count(List<VerifyCase> results, VerifyCase.Verdict verdict) {
        return results.stream().filter(r -> r.verdict() == verdict).count();
    }

    private List<OnnxTestCase> find() throws IOException {
        List<OnnxTestCase> cases = new ArrayList<>();
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) {
                throw new CliException(folder + (Files.exists(folder) ? ": not a folder" : ": no such folder"));
            }
            List<OnnxTestCase> found = OnnxTestCase.find(folder);
            if (found.isEmpty()) {
                throw new CliException(folder + ": no model.onnx in it or below");
            }
            cases.addAll(found);
        }
        return cases;
    }

    private Agreement agreement(OnnxTestCase c) throws IOException {
        return new Agreement(
                rtol != null ? rtol : c.tolerance("rtol").orElse(Agreement.DEFAULT.rtol()),
                atol != null ? atol : c.tolerance("atol").orElse(Agreement.DEFAULT.atol()));
    }

    /** Which tolerance a case is held to. */
    interface Tolerance {
        Agreement of() throws IOException;
    }

    /** Failures that would hit every case alike end the command. */
    static boolean endsAll(Throwable e) {
        return e instanceof DeviceUnavailableException;
    }
}
