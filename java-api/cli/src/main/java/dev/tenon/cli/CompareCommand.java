package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Agreement;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tenon compare}: how far the outputs, or all values, of two models are apart. */
@Command(
        name = "compare",
        description = {
            "Compares the outputs of two models for the same inputs; exit code 1 if they are apart.",
            "With --layers, A runs in the engine and B, the same model, in the plain interpreter; all values that both "
                    + "have are compared."
        })
final class CompareCommand extends CliCommand {
    @Parameters(index = "0", paramLabel = "A", description = "An .onnx model or a .tenon engine.")
    Path a;

    @Parameters(index = "1", paramLabel = "B", description = "What A's outputs are expected to equal.")
    Path b;

    @Mixin
    EngineOptions options;

    @Mixin
    InputOptions inputs;

    @Option(names = "--layers", description = "Compare all values inside the model.")
    boolean layers;

    @Option(names = "--rtol", paramLabel = "X", description = "Relative tolerance; by default 1e-3.")
    double rtol = 1e-3;

    @Option(names = "--atol", paramLabel = "X", description = "Absolute tolerance; by default 1e-4.")
    double atol = 1e-4;

    /** A value of both models. */
    record Compared(String name, String type, String kind, Difference difference) {}

    @Override
    public Integer call() throws IOException {
        requireFile(a);
        requireFile(b);
        Agreement agreement = new Agreement(rtol, atol);
        List<Compared> results;
        try (MemoryScope scope = MemoryScope.shared("inputs of the command line");
                Progress progress = Progress.quiet("Comparing")) {
            results = layers ? compareLayers(agreement, scope, progress) : compareOutputs(agreement, scope, progress);
        }
        boolean within = results.stream().allMatch(c -> c.difference().isWithin());
        report(results, within);
        return within ? DONE : ANSWER_IS_NO;
    }

    private List<Compared> compareOutputs(Agreement agreement, MemoryScope scope, Progress progress)
            throws IOException {
        try (Engine first = options.open(a, progress);
                Engine second = options.open(b, progress);
                Session actual = first.newSession();
                Session expected = second.newSession()) {
            List<String> names = pairs(first, second);
            Map<String, Datum> values = inputs.read(first, options.dims, false, scope);
            List<String> inputsOfB =
                    second.inputs().stream().map(TensorInfo::name).toList();
            int i = 0;
            for (Map.Entry<String, Datum> v : inOrder(first, values).entrySet()) {
                actual.bind(v.getKey(), v.getValue());
                expected.bind(inputsOfB.contains(v.getKey()) ? v.getKey() : inputsOfB.get(i), v.getValue());
                i++;
            }
            actual.run();
            expected.run();
            List<Compared> results = new ArrayList<>();
            for (int o = 0; o < names.size(); o++) {
                String name = first.outputs().get(o).name();
                Datum d = actual.outputDatum(name);
                results.add(new Compared(
                        name, TensorText.type(d), "", Difference.of(expected.outputDatum(names.get(o)), d, agreement)));
            }
            return results;
        }
    }

    private static Map<String, Datum> inOrder(Engine engine, Map<String, Datum> values) {
        Map<String, Datum> ordered = new LinkedHashMap<>();
        engine.inputs().forEach(i -> ordered.put(i.name(), values.get(i.name())));
        return ordered;
    }

    /** For each output of the first engine, the name of the second's: the same name, or the same place where names differ. */
    private List<String> pairs(Engine first, Engine second) {
        if (first.inputs().size() != second.inputs().size()
                || first.outputs().size() != second.outputs().size()) {
            throw new CliException(a + " has inputs " + first.inputs() + " and outputs " + first.outputs() + ", " + b
                    + " has " + second.inputs() + " and " + second.outputs() + ": these cannot be compared");
        }
        Set<String> there = second.outputs().stream().map(TensorInfo::name).collect(Collectors.toSet());
        List<String> names = first.outputs().stream().map(TensorInfo::name).toList();
        return there.containsAll(names)
                ? names
                : second.outputs().stream().map(TensorInfo::name).toList();
    }

    private List<Compared> compareLayers(Agreement agreement, MemoryScope scope, Progress progress) throws IOException {
        try (Engine engine = options.open(a, progress);
                LayerValues values = LayerValues.of(engine, inputs.read(engine, options.dims, false, scope))) {
            return values.compareWith(b, agreement, progress);
        }
    }

    private void report(List<Compared> results, boolean within) {
        if (json) {
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("a", a.toString());
            m.put("b", b.toString());
            m.put("rtol", rtol);
            m.put("atol", atol);
            m.put("within", within);
            m.put(
                    layers ? "layers" : "outputs",
                    results.stream().map(c -> c.difference().json(c.name())).toList());
            printJson(m);
            return;
        }
        Table table = layers
                ? new Table("layer", "kind", "type", ">max abs", ">max rel", ">cosine", "")
                : new Table("output", "kind", "type", ">max abs", ">max rel", ">cosine", "");
        for (Compared c : results) {
            Difference d = c.difference();
            table.row(
                    Text.shorten(c.name(), 48),
                    c.kind(),
                    c.type(),
                    Text.number(d.maxAbsolute()),
                    Text.number(d.maxRelative()),
                    Text.format("%.8f", d.cosine()),
                    d.isWithin() ? "" : "DIFFERS: " + d.problem());
        }
        table.print(out(), "");
        long differing =
                results.stream().filter(c -> !c.difference().isWithin()).count();
        out().println(
                        within
                                ? "all " + results.size() + " are within rtol " + rtol + ", atol " + atol
                                : differing + " of " + results.size() + " differ beyond rtol " + rtol + ", atol "
                                        + atol);
        out().flush();
    }
}
