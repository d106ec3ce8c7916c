package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.onnx.OnnxModel.FunctionDef;
import dev.tenon.internal.onnx.OnnxModel.GraphDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import dev.tenon.internal.op.OpSet;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Looks for operators without an import rule before anything is imported, so that all of them are reported together. */
final class OperatorCheck {
    private final Functions functions;
    private final int maxDepth;
    private final Map<String, Use> missing = new LinkedHashMap<>();
    private final Set<String> visited = new HashSet<>();

    private static final class Use {
        private final String first;
        private int count;

        Use(String first) {
            this.first = first;
        }
    }

    private OperatorCheck(Functions functions, int maxDepth) {
        this.functions = functions;
        this.maxDepth = maxDepth;
    }

    /** @throws UnsupportedOperatorException naming every operator of the graph that has no rule */
    static void run(String model, GraphDef graph, Functions functions, Opsets opsets, int maxDepth) {
        OperatorCheck check = new OperatorCheck(functions, maxDepth);
        check.nodes(graph.nodes(), opsets, 0);
        if (!check.missing.isEmpty()) {
            List<String> lines = new ArrayList<>();
            check.missing.forEach((operator, use) -> lines.add(
                    operator + ", " + use.count + " node(s), first '" + use.first + "': no rule for this operator"));
            throw new UnsupportedOperatorException(model, lines);
        }
    }

    private void nodes(List<NodeDef> nodes, Opsets opsets, int depth) {
        if (depth > maxDepth) {
            throw new ModelFormatException("functions call each other more than " + maxDepth + " deep");
        }
        for (NodeDef n : nodes) {
            FunctionDef f = functions.find(n);
            if (f != null) {
                if (visited.add(f.id())) {
                    nodes(f.nodes(), functions.opsets(f), depth + 1);
                }
            } else if (!Opsets.isConstant(n)) {
                operator(n, opsets);
            }
            Captures.bodies(n).forEach(b -> nodes(b.nodes(), opsets, depth + 1));
        }
    }

    private void operator(NodeDef n, Opsets opsets) {
        if (n.opType().isEmpty()) {
            throw new ModelFormatException("node '" + n.label() + "' has no operator type");
        }
        int version = opsets.version(n);
        if (OpSet.find(n.domain(), n.opType(), version).isEmpty()) {
            missing.computeIfAbsent(
                            Opsets.displayName(n.domain()) + "." + n.opType() + " (opset " + version + ")",
                            k -> new Use(n.label()))
                    .count++;
        }
    }
}
