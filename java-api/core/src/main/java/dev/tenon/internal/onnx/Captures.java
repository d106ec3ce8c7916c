package dev.tenon.internal.onnx;

import dev.tenon.internal.onnx.OnnxModel.AttributeDef;
import dev.tenon.internal.onnx.OnnxModel.GraphDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import dev.tenon.internal.onnx.OnnxModel.ValueDef;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds the names that subgraphs read from outside. */
final class Captures {
    private final Map<GraphDef, Set<String>> free = new IdentityHashMap<>();

    /** The subgraphs among a node's attributes. */
    static List<GraphDef> bodies(NodeDef node) {
        List<GraphDef> out = new ArrayList<>();
        for (AttributeDef a : node.attributes()) {
            if (a.value() instanceof GraphDef g) {
                out.add(g);
            } else if (a.value() instanceof List<?> l) {
                l.forEach(e -> {
                    if (e instanceof GraphDef g) {
                        out.add(g);
                    }
                });
            }
        }
        return out;
    }

    /** The names that {@code graph} and its own subgraphs read but do not write, in the order of first use. */
    Set<String> of(GraphDef graph) {
        Set<String> known = free.get(graph);
        if (known != null) {
            return known;
        }
        Set<String> own = new HashSet<>();
        graph.inputs().forEach(v -> own.add(v.name()));
        graph.initializers().forEach(t -> own.add(t.name()));
        graph.sparseInitializers().forEach(t -> own.add(t.values().name()));
        graph.nodes().forEach(n -> own.addAll(n.outputs()));
        own.add("");
        Set<String> names = new LinkedHashSet<>();
        for (NodeDef n : graph.nodes()) {
            names.addAll(n.inputs());
            bodies(n).forEach(b -> names.addAll(of(b)));
        }
        for (ValueDef v : graph.outputs()) {
            names.add(v.name());
        }
        names.removeAll(own);
        free.put(graph, names);
        return names;
    }
}
