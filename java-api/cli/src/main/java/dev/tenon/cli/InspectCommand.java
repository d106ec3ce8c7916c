package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.TensorInfo;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.GraphPrinter;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.ImportedModel;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.plan.Plan;
import dev.tenon.spi.StepInfo;
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

/** {@code tenon inspect}: what a model is and how it will run. */
@Command(
        name = "inspect",
        description =
                "Shows a model's inputs, layers, steps with their implementations, and memory. Open sizes other than"
                        + " the batch must be fixed with --dim or --shape to see the steps.")
final class InspectCommand extends CliCommand {
    @Parameters(paramLabel = "MODEL", description = "An .onnx model or a .tenon engine.")
    Path model;

    @Mixin
    EngineOptions options;

    @Option(names = "--html", paramLabel = "FILE", description = "Write a self-contained page with the graph drawn.")
    @Nullable
    Path html;

    @Option(names = "--dump", description = "Print the optimised graph as text.")
    boolean dump;

    @Override
    public Integer call() throws IOException {
        Engine engine;
        try (Progress progress = Progress.quiet("Building")) {
            engine = options.open(model, progress);
        }
        try (engine;
                Session session = engine.newSession();
                MemoryScope scope = MemoryScope.shared("inputs of the command line")) {
            String open = prepare(engine, session, scope);
            Plan plan = open.isEmpty() ? session.plan() : null;
            if (json) {
                printJson(json(engine, plan));
            } else {
                print(engine, plan, open);
            }
            if (html != null) {
                Map<String, String> facts = facts(engine);
                planFacts(facts, plan, open);
                Graph graph = plan != null && plan.rest() == null
                        ? plan.graph()
                        : engine.model().graph();
                Files.writeString(html, GraphPage.render(model.getFileName().toString(), facts, graph, plan));
                if (!json) {
                    out().println("page      " + html);
                    out().flush();
                }
            }
        }
        return DONE;
    }

    /** Plans the engine for its shapes, an open batch taken as 1. Returns why it cannot, empty if it can. */
    private String prepare(Engine engine, Session session, MemoryScope scope) throws IOException {
        InputOptions zeros = new InputOptions();
        zeros.zeros = true;
        try {
            Map<String, Datum> values = zeros.read(engine, options.dims, false, scope);
            values.forEach(session::bind);
            session.prepare();
            return "";
        } catch (CliException e) {
            return e.getMessage();
        }
    }

    /** All native steps and host steps of a plan, in order. */
    static List<StepInfo> steps(Plan plan) {
        List<StepInfo> steps = new ArrayList<>();
        for (Plan.Segment s : plan.segments()) {
            switch (s) {
                case Plan.DeviceSegment d -> steps.addAll(d.program().steps());
                case Plan.HostStep h ->
                    steps.add(new StepInfo(h.node().op().name(), h.node().origin(), "host reference", "", 0, 0, 0, 1));
            }
        }
        return steps;
    }

    private Map<String, String> facts(Engine engine) {
        Map<String, String> facts = new LinkedHashMap<>();
        Graph graph = engine.model().graph();
        facts.put("file", model.toString());
        facts.put("graph", graph.name());
        if (model.getFileName().toString().endsWith(".onnx")) {
            try (MemoryScope scope = MemoryScope.shared("model of the report")) {
                ImportedModel m = OnnxImporter.read(model, options.device.importOptions(), scope);
                facts.put("producer", (m.producer() + " " + m.producerVersion()).strip());
                facts.put("format", "ONNX IR version " + m.irVersion());
                facts.put("opsets", m.opsets().toString().replaceAll("[{}]", ""));
                facts.put(
                        "nodes",
                        m.graph().nodes().size() + " in the model, "
                                + graph.nodes().size() + " in the engine");
            }
        } else {
            facts.put("nodes", graph.nodes().size() + " in the engine");
        }
        facts.put("constants", graph.constants().size() + ", " + Text.bytes(constantBytes(graph)));
        facts.put("device", engine.model().backend().name());
        return facts;
    }

    private static long constantBytes(Graph graph) {
        return graph.constants().values().stream()
                .mapToLong(t -> t.type().byteSize(t.size()))
                .sum();
    }

    private static void planFacts(Map<String, String> facts, @Nullable Plan plan, String open) {
        if (plan == null) {
            facts.put("plan", open);
            return;
        }
        long device = plan.segments().stream()
                .filter(s -> s instanceof Plan.DeviceSegment)
                .count();
        facts.put(
                "plan",
                Text.count(steps(plan).size(), "step") + " in " + Text.count(device, "native segment") + ", "
                        + (plan.segments().size() - device) + " on the host");
        facts.put("arena", Text.bytes(plan.arenaBytes()) + " a session");
        facts.put("stored", Text.bytes(storedBytes(plan)) + " of tensors between segments and outputs");
        if (plan.rest() != null) {
            facts.put(
                    "later",
                    Text.count(plan.rest().graph().nodes().size(), "node")
                            + " after shapes that depend on data, planned during the run");
        }
    }

    private static long storedBytes(Plan plan) {
        return plan.stored().stream()
                .map(v -> v.tensorType())
                .filter(t -> t.isConcrete())
                .mapToLong(t -> t.dtype().byteSize(t.shape().concrete().elements()))
                .sum();
    }

    private void print(Engine engine, @Nullable Plan plan, String open) {
        PrintWriter out = out();
        Map<String, String> facts = facts(engine);
        planFacts(facts, plan, open);
        Table table = new Table("", "");
        facts.forEach((topic, text) -> table.row(topic, text));
        table.printRows(out);
        out.println("inputs");
        engine.inputs().forEach(i -> out.println("  " + i));
        out.println("outputs");
        engine.outputs().forEach(o -> out.println("  " + o));
        if (!engine.metadata().isEmpty()) {
            out.println("metadata");
            engine.metadata()
                    .forEach((k, v) -> out.println("  " + k + " = " + Text.shorten(v.replaceAll("\\R", " "), 160)));
        }
        out.println("layers");
        LayerSummary.of(engine.model().graph()).table().print(out, "  ");
        if (plan != null) {
            printPlan(plan);
        }
        if (dump) {
            out.println();
            out.print(GraphPrinter.print(engine.model().graph()));
        }
        out.flush();
    }

    private void printPlan(Plan plan) {
        out().println("segments");
        Table segments = new Table(">#", "where", ">steps", ">arena", "inputs", "outputs");
        int number = 0;
        for (Plan.Segment s : plan.segments()) {
            switch (s) {
                case Plan.DeviceSegment d ->
                    segments.row(
                            number,
                            "native",
                            d.program().steps().size(),
                            Text.bytes(d.program().arenaBytes()),
                            Text.count(d.inputs().size(), "value"),
                            Text.count(d.outputs().size(), "value"));
                case Plan.HostStep h ->
                    segments.row(
                            number,
                            "host",
                            1,
                            "",
                            Text.count(h.node().inputs().size(), "value"),
                            Text.count(h.node().outputs().size(), "value"));
            }
            number++;
        }
        segments.print(out(), "  ");
        out().println("steps");
        Table table = new Table(">#", "kind", "name", "implementation", "layouts", ">Mflop", ">read", ">written");
        int i = 0;
        for (StepInfo s : steps(plan)) {
            table.row(
                    i++,
                    s.kind(),
                    Text.shorten(s.name(), 44),
                    s.implementation(),
                    s.layouts(),
                    s.flops() == 0 ? "" : Text.format("%.2f", s.flops() / 1e6),
                    s.bytesRead() == 0 ? "" : Text.bytes(s.bytesRead()),
                    s.bytesWritten() == 0 ? "" : Text.bytes(s.bytesWritten()));
        }
        table.print(out(), "  ");
    }

    private Map<String, Object> json(Engine engine, @Nullable Plan plan) {
        Map<String, Object> m = new LinkedHashMap<>(facts(engine));
        m.put("inputs", engine.inputs().stream().map(InspectCommand::json).toList());
        m.put("outputs", engine.outputs().stream().map(InspectCommand::json).toList());
        m.put("metadata", engine.metadata());
        m.put("layers", LayerSummary.of(engine.model().graph()).json());
        if (plan != null) {
            m.put("arena_bytes", plan.arenaBytes());
            m.put("stored_bytes", storedBytes(plan));
            m.put("segments", plan.segments().size());
            m.put("steps", steps(plan).stream().map(RunCommand::stepJson).toList());
        }
        if (dump) {
            m.put("graph_text", GraphPrinter.print(engine.model().graph()));
        }
        return m;
    }

    private static Map<String, Object> json(TensorInfo i) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("name", i.name());
        m.put("type", i.type() == null ? null : i.type().name());
        m.put("dims", i.dims());
        return m;
    }
}
