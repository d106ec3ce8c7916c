package dev.tenon.cli;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.Value;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A graph as an SVG picture: inputs, nodes and outputs as boxes. Constants are left to the boxes' details. */
final class GraphPicture {
    private static final double BOX_HEIGHT = 42;
    private static final double ROW_HEIGHT = 76;
    private static final double MARGIN = 24;
    private static final double CHARACTER = 7.3;

    /** @param node null for the graph's inputs and outputs */
    record Box(
            String title,
            String subtitle,
            String colour,
            boolean fused,
            @Nullable Node node,
            @Nullable Value value) {
        double width() {
            return Math.max(72, CHARACTER * Math.max(title.length(), subtitle.length()) + 26);
        }
    }

    private final List<Box> boxes = new ArrayList<>();
    private final List<int[]> edges = new ArrayList<>();
    private final List<String> labels = new ArrayList<>();
    private final GraphLayout layout;

    GraphPicture(Graph graph) {
        Map<Value, Integer> producers = new IdentityHashMap<>();
        for (Value v : graph.inputs()) {
            producers.put(v, boxes.size());
            boxes.add(new Box(Text.shorten(v.name(), 32), shapeOf(v), "io", false, null, v));
        }
        for (Node n : graph.nodes()) {
            int box = boxes.size();
            boxes.add(new Box(
                    n.op().name(), shapeOf(n.output(0)), colour(n.op().trait()), LayerSummary.isFused(n), n, null));
            n.inputs().forEach(v -> edge(producers, v, box));
            n.outputs().stream().filter(v -> !v.isAbsent()).forEach(v -> producers.put(v, box));
        }
        for (Value v : graph.outputs()) {
            int box = boxes.size();
            boxes.add(new Box(Text.shorten(v.name(), 32), shapeOf(v), "io", false, null, v));
            edge(producers, v, box);
        }
        layout = new GraphLayout(boxes.stream().mapToDouble(Box::width).toArray(), edges, ROW_HEIGHT);
    }

    private void edge(Map<Value, Integer> producers, Value v, int to) {
        Integer from = producers.get(v);
        if (from != null) {
            edges.add(new int[] {from, to});
            labels.add(v.name() + "  " + v.type());
        }
    }

    private static String shapeOf(Value v) {
        if (v.isAbsent()) {
            return "";
        }
        String type = v.type().toString();
        return Text.shorten(type, 34);
    }

    private static String colour(OpTrait trait) {
        return switch (trait) {
            case CONTRACTION -> "contraction";
            case ELEMENTWISE -> "elementwise";
            case REDUCTION -> "reduction";
            case DATA_MOVEMENT -> "movement";
            case CONTROL_FLOW -> "control";
            case OPAQUE -> "other";
        };
    }

    List<Box> boxes() {
        return boxes;
    }

    String svg() {
        double left = layout.left() - MARGIN;
        double width = layout.right() - layout.left() + 2 * MARGIN;
        double height = Math.max(1, layout.rows()) * ROW_HEIGHT - (ROW_HEIGHT - BOX_HEIGHT) + 2 * MARGIN;
        StringBuilder s = new StringBuilder();
        s.append(Text.format(
                "<svg id=\"graph\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"%.1f %.1f %.1f %.1f\" width=\"%.0f\""
                        + " height=\"%.0f\">%n",
                left, -MARGIN, width, height, width, height));
        s.append("<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\""
                + " markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
                + "<g class=\"edges\">\n");
        List<GraphLayout.Path> paths = layout.paths(BOX_HEIGHT);
        for (int i = 0; i < paths.size(); i++) {
            edge(s, paths.get(i), labels.get(i));
        }
        s.append("</g>\n<g class=\"nodes\">\n");
        for (int i = 0; i < boxes.size(); i++) {
            box(s, i, boxes.get(i));
        }
        return s.append("</g>\n</svg>\n").toString();
    }

    private static void edge(StringBuilder s, GraphLayout.Path p, String label) {
        s.append(Text.format(
                "<path data-from=\"%d\" data-to=\"%d\" d=\"M%.1f %.1f", p.from(), p.to(), p.xs()[0], p.ys()[0]));
        for (int i = 1; i < p.xs().length; i++) {
            if (i % 2 == 0) {
                s.append(Text.format("L%.1f %.1f", p.xs()[i], p.ys()[i]));
            } else {
                double middle = (p.ys()[i - 1] + p.ys()[i]) / 2;
                s.append(Text.format(
                        "C%.1f %.1f %.1f %.1f %.1f %.1f",
                        p.xs()[i - 1], middle, p.xs()[i], middle, p.xs()[i], p.ys()[i]));
            }
        }
        s.append("\" marker-end=\"url(#tip)\"><title>").append(escape(label)).append("</title></path>\n");
    }

    private void box(StringBuilder s, int i, Box b) {
        double w = b.width();
        s.append(Text.format(
                "<g class=\"node %s%s\" data-box=\"%d\" tabindex=\"0\" transform=\"translate(%.1f %.1f)\">",
                b.colour, b.fused ? " fused" : "", i, layout.x(i) - w / 2, layout.y(i)));
        s.append(Text.format("<rect width=\"%.1f\" height=\"%.0f\" rx=\"7\"/>", w, BOX_HEIGHT));
        s.append(Text.format("<text class=\"t\" x=\"%.1f\" y=\"18\">", w / 2)).append(escape(b.title));
        s.append(Text.format("</text><text class=\"s\" x=\"%.1f\" y=\"33\">", w / 2))
                .append(escape(b.subtitle));
        s.append("</text></g>\n");
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
