package dev.tenon.cli;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How many nodes of each kind a graph has, and how many of them were fused from several nodes of the model. */
record LayerSummary(int nodes, List<Kind> kinds) {
    record Kind(String name, int count, int fused) {}

    static LayerSummary of(Graph graph) {
        Map<String, int[]> counts = new TreeMap<>();
        for (Node n : graph.nodes()) {
            int[] c = counts.computeIfAbsent(n.op().name(), k -> new int[2]);
            c[0]++;
            c[1] += isFused(n) ? 1 : 0;
        }
        List<Kind> kinds = counts.entrySet().stream()
                .map(e -> new Kind(e.getKey(), e.getValue()[0], e.getValue()[1]))
                .sorted((a, b) -> Integer.compare(b.count, a.count))
                .toList();
        return new LayerSummary(graph.nodes().size(), kinds);
    }

    /** True if the node does the work of several nodes of the model; passes join the names of what they fuse. */
    static boolean isFused(Node n) {
        return n.origin().indexOf('+') > 0;
    }

    int fused() {
        return kinds.stream().mapToInt(Kind::fused).sum();
    }

    Table table() {
        Table t = new Table("kind", ">count", ">fused");
        kinds.forEach(k -> t.row(k.name, k.count, k.fused == 0 ? "" : k.fused));
        return t;
    }

    List<Map<String, Object>> json() {
        return kinds.stream()
                .map(k -> {
                    Map<String, Object> m = new LinkedHashMap<>();
                    m.put("kind", k.name);
                    m.put("count", k.count);
                    m.put("fused", k.fused);
                    return m;
                })
                .toList();
    }
}
