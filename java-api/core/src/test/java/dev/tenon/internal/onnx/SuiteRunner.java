package dev.tenon.internal.onnx;

import dev.tenon.Datum;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Verifier;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Agreement;
import dev.tenon.internal.reference.Interpreter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Runs cases of the ONNX suite through the importer and the reference interpreter. */
public final class SuiteRunner {
    /** @param detail what failed, or what is not supported */
    record Outcome(Status status, String detail, Throwable cause) {}

    enum Status {
        PASS,
        FAIL,
        UNSUPPORTED
    }

    private SuiteRunner() {}

    /** The folder with shared test data: system property {@code tenon.shared}, variable {@code TENON_SHARED}, or beside the project. */
    public static Path sharedFolder() {
        String set = System.getProperty("tenon.shared", System.getenv("TENON_SHARED"));
        if (set != null && !set.isEmpty()) {
            return Path.of(set);
        }
        // Maven tells the project's root; without it, tests run in a module's folder or at the root.
        Path at = Path.of(System.getProperty("tenon.root", "")).toAbsolutePath();
        for (Path p = at; p != null; p = p.getParent()) {
            Path shared = p.resolveSibling("shared");
            if (p.getParent() != null && shared.resolve("onnx-suite").toFile().isDirectory()) {
                return shared;
            }
        }
        return at.resolveSibling("shared");
    }

    static Outcome run(OnnxTestCase c) {
        try (MemoryScope memory = MemoryScope.confined(c.name())) {
            ImportedModel model = OnnxImporter.read(c.model(), ImportOptions.DEFAULT, memory);
            Verifier.verify(model.graph(), "import");
            for (Path dataSet : c.dataSets()) {
                Optional<String> difference = run(c, model, dataSet, memory);
                if (difference.isPresent()) {
                    return new Outcome(Status.FAIL, dataSet.getFileName() + ": " + difference.get(), null);
                }
            }
            return new Outcome(Status.PASS, "", null);
        } catch (UnsupportedOperatorException e) {
            return new Outcome(Status.UNSUPPORTED, String.join("; ", e.operators()), e);
        } catch (RuntimeException | IOException | StackOverflowError e) {
            return new Outcome(Status.FAIL, e.toString(), e);
        }
    }

    private static Optional<String> run(OnnxTestCase c, ImportedModel model, Path dataSet, MemoryScope memory)
            throws IOException {
        Agreement agreement = new Agreement(
                c.tolerance("rtol").orElse(Agreement.DEFAULT.rtol()),
                c.tolerance("atol").orElse(Agreement.DEFAULT.atol()));
        List<Datum> inputs = OnnxTestCase.inputs(dataSet, model.graph().inputs(), memory);
        List<Datum> expected = OnnxTestCase.outputs(dataSet, model.graph().outputs(), memory);
        List<Datum> actual = Interpreter.run(model.graph(), inputs, memory);
        for (int i = 0; i < expected.size(); i++) {
            String name = model.graph().outputs().get(i).name();
            Optional<String> difference = agreement.difference(expected.get(i), actual.get(i));
            if (difference.isPresent()) {
                return Optional.of("output '" + name + "': " + difference.get());
            }
        }
        return Optional.empty();
    }
}
