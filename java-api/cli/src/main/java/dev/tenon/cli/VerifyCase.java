package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.ImportOptions;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.reference.Agreement;
import dev.tenon.internal.reference.Interpreter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The outcome of one test folder.
 *
 * @param why what differs, what is not supported, or which error came; empty if all is well
 */
record VerifyCase(String name, Path folder, Verdict verdict, String why, long nanos) {
    enum Verdict {
        PASS,
        FAIL,
        UNSUPPORTED
    }

    /** Gives the model's outputs for a data set's inputs. */
    private interface Runner {
        List<Datum> run(List<Datum> inputs);
    }

    /** Runs a case. Whatever it does wrong becomes its outcome, so that it cannot stop others. */
    static VerifyCase run(OnnxTestCase c, VerifyCommand.Tolerance tolerance, DeviceOptions device, boolean reference) {
        long start = System.nanoTime();
        Verdict verdict = Verdict.FAIL;
        String why;
        try {
            Agreement agreement = tolerance.of();
            why = reference ? onInterpreter(c, agreement) : onEngine(c, agreement, device);
            verdict = why.isEmpty() ? Verdict.PASS : Verdict.FAIL;
        } catch (UnsupportedOperatorException e) {
            verdict = Verdict.UNSUPPORTED;
            why = String.join("; ", e.operators());
        } catch (IOException | RuntimeException | StackOverflowError | OutOfMemoryError | AssertionError e) {
            if (VerifyCommand.endsAll(e)) {
                throw (RuntimeException) e;
            }
            why = Failures.message(e);
        }
        return new VerifyCase(c.name(), c.folder(), verdict, why, System.nanoTime() - start);
    }

    private static String onEngine(OnnxTestCase c, Agreement agreement, DeviceOptions device) throws IOException {
        try (Engine engine = device.builder(c.model()).build();
                Session session = engine.newSession()) {
            return compare(c, engine.model().graph(), agreement, inputs -> {
                for (int i = 0; i < inputs.size(); i++) {
                    session.bind(engine.inputs().get(i).name(), inputs.get(i));
                }
                session.run();
                List<Datum> outputs = new ArrayList<>();
                engine.outputs().forEach(o -> outputs.add(session.outputDatum(o.name())));
                return outputs;
            });
        }
    }

    private static String onInterpreter(OnnxTestCase c, Agreement agreement) throws IOException {
        try (MemoryScope scope = MemoryScope.shared("reference of " + c.name())) {
            Graph graph =
                    OnnxImporter.read(c.model(), ImportOptions.DEFAULT, scope).graph();
            return compare(c, graph, agreement, inputs -> Interpreter.run(graph, inputs, scope));
        }
    }

    /** What differs, empty if nothing does. */
    private static String compare(OnnxTestCase c, Graph graph, Agreement agreement, Runner runner) throws IOException {
        List<Path> dataSets = c.dataSets();
        if (dataSets.isEmpty()) {
            return "no test_data_set_* in " + c.folder();
        }
        for (Path set : dataSets) {
            try (MemoryScope scope = MemoryScope.shared("data of " + c.name())) {
                List<Datum> expected = OnnxTestCase.outputs(set, graph.outputs(), scope);
                List<Datum> actual = runner.run(OnnxTestCase.inputs(set, graph.inputs(), scope));
                for (int i = 0; i < expected.size(); i++) {
                    Optional<String> difference = agreement.difference(expected.get(i), actual.get(i));
                    if (difference.isPresent()) {
                        return "output " + i + " of " + set.getFileName() + ": " + difference.get();
                    }
                }
            }
        }
        return "";
    }

    /** One line for the case, whatever line breaks its reason has. */
    String line() {
        return (verdict + " " + name + (why.isEmpty() ? "" : " " + why)).replaceAll("\\s*\\R\\s*", " ");
    }

    Map<String, Object> json() {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("name", name);
        m.put("folder", folder.toString());
        m.put("result", verdict.name());
        m.put("why", why);
        m.put("ms", nanos / 1e6);
        return m;
    }
}
