package dev.tenon.cli;

import dev.tenon.internal.engine.Json;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.plan.Plan;
import dev.tenon.spi.StepInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One HTML page without outside resources: the graph, details of each box, steps and memory. */
final class GraphPage {
    private static final int MAX_ATTRIBUTES = 600;

    private GraphPage() {}

    /**
     * @param facts what to say of the model, by topic
     * @param plan how the graph runs; null if its shapes are open
     */
    static String render(String title, Map<String, String> facts, Graph graph, @Nullable Plan plan) throws IOException {
        GraphPicture picture = new GraphPicture(graph);
        List<StepInfo> steps = plan == null ? List.of() : InspectCommand.steps(plan);
        Map<String, StepInfo> byName = new HashMap<>();
        steps.forEach(s -> byName.putIfAbsent(s.name(), s));
        List<Object> details = new ArrayList<>();
        for (GraphPicture.Box b : picture.boxes()) {
            details.add(b.node() == null ? valueDetails(b) : nodeDetails(graph, b.node(), byName));
        }
        Map<String, Object> data = new LinkedHashMap<>();
        data.put("boxes", details);
        data.put("facts", facts);
        data.put("steps", steps.stream().map(RunCommand::stepJson).toList());
        try (InputStream in = GraphPage.class.getResourceAsStream("graph.html")) {
            if (in == null) {
                throw new IllegalStateException(
                        "dev/tenon/cli/graph.html is missing: this copy of Tenon is incomplete");
            }
            String page = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            // "</" would end the script element that holds the data.
            return page.replace("@title@", GraphPicture.escape(title))
                    .replace("@svg@", picture.svg())
                    .replace("@data@", Json.write(data).replace("</", "<\\/"));
        }
    }

    private static Map<String, Object> valueDetails(GraphPicture.Box b) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("title", b.value().name());
        m.put("type", b.value().type().toString());
        return m;
    }

    private static Map<String, Object> nodeDetails(Graph graph, Node n, Map<String, StepInfo> steps) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("title", n.op().name());
        m.put("name", n.origin().replace("+", " + "));
        m.put("operator", Text.shorten(n.op().toString(), MAX_ATTRIBUTES));
        StepInfo step = steps.get(n.origin());
        if (step != null) {
            m.put("implementation", step.implementation());
            m.put("layouts", step.layouts());
            m.put(
                    "work",
                    Text.format(
                            "%.3g Mflop, reads %s, writes %s, %s",
                            step.flops() / 1e6,
                            Text.bytes(step.bytesRead()),
                            Text.bytes(step.bytesWritten()),
                            Text.count(step.threads(), "thread")));
        }
        m.put("inputs", n.inputs().stream().map(v -> describe(graph, v)).toList());
        m.put("outputs", n.outputs().stream().map(v -> describe(graph, v)).toList());
        return m;
    }

    private static String describe(Graph graph, Value v) {
        if (v.isAbsent()) {
            return "(left out)";
        }
        return v.name() + "  " + v.type() + (graph.isConstant(v) ? "  constant" : "");
    }
}
