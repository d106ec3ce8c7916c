package dev.tenon;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxTestCase;
import dev.tenon.internal.reference.Agreement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Runs cases of the ONNX suite as a user would: through an engine. As a program it takes folders and words of case names:
 * {@code EngineSuite FOLDER [WORD...]} prints a line for each case that does not pass, and the totals.
 */
final class EngineSuite {
    private EngineSuite() {}

    /** What differs, or nothing. */
    static Optional<String> run(OnnxTestCase c) throws IOException {
        Agreement agreement = new Agreement(
                c.tolerance("rtol").orElse(Agreement.DEFAULT.rtol()),
                c.tolerance("atol").orElse(Agreement.DEFAULT.atol()));
        try (Engine engine = Engine.load(c.model());
                Session session = engine.newSession();
                MemoryScope memory = MemoryScope.confined(c.name())) {
            Graph graph = engine.model().graph();
            for (Path dataSet : c.dataSets()) {
                List<Datum> inputs = OnnxTestCase.inputs(dataSet, graph.inputs(), memory);
                for (int i = 0; i < inputs.size(); i++) {
                    session.bind(engine.inputs().get(i).name(), inputs.get(i));
                }
                session.run();
                List<Datum> expected = OnnxTestCase.outputs(dataSet, graph.outputs(), memory);
                for (int i = 0; i < expected.size(); i++) {
                    String name = engine.outputs().get(i).name();
                    Optional<String> difference = agreement.difference(expected.get(i), session.outputDatum(name));
                    if (difference.isPresent()) {
                        return Optional.of("output '" + name + "': " + difference.get());
                    }
                }
            }
            return Optional.empty();
        }
    }

    public static void main(String[] args) throws IOException {
        Map<String, Integer> totals = new LinkedHashMap<>();
        boolean trace = Boolean.getBoolean("trace");
        for (OnnxTestCase c : OnnxTestCase.find(Path.of(args[0]))) {
            boolean wanted = args.length == 1;
            for (int i = 1; i < args.length; i++) {
                wanted |= c.name().contains(args[i]);
            }
            if (!wanted) {
                continue;
            }
            String outcome;
            if (trace) {
                System.out.println("RUN " + c.name());
            }
            try {
                outcome = run(c).map(d -> "FAIL " + d).orElse("PASS");
            } catch (UnsupportedOperatorException e) {
                outcome = "UNSUPPORTED " + e.operators();
            } catch (RuntimeException | Error e) {
                outcome = "FAIL " + e;
                if (trace) {
                    e.printStackTrace(System.out);
                }
            }
            totals.merge(outcome.split(" ")[0], 1, Integer::sum);
            if (outcome.startsWith("FAIL")) {
                System.out.println(c.name() + " " + outcome);
            }
        }
        System.out.println(totals);
    }
}
