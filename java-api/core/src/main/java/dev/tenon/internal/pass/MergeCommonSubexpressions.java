package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Lets equal operators on the same inputs be computed once. */
public final class MergeCommonSubexpressions implements Pass {
    private record Key(Op op, List<Value> inputs, int outputs) {}

    @Override
    public String name() {
        return "merge-common-subexpressions";
    }

    @Override
    public Graph run(Graph graph, PassContext context) {
        Map<Key, Node> seen = new HashMap<>();
        Map<Value, Value> same = new IdentityHashMap<>();
        List<Patch> patches = new ArrayList<>();
        for (Node n : graph.nodes()) {
            if (!n.op().isDeterministic() || n.op().trait() == OpTrait.CONTROL_FLOW) {
                continue;
            }
            List<Value> inputs =
                    n.inputs().stream().map(v -> same.getOrDefault(v, v)).toList();
            Node first = seen.putIfAbsent(new Key(n.op(), inputs, n.outputs().size()), n);
            if (first == null || n.outputs().stream().anyMatch(graph::isOutput) || !sameOutputs(first, n)) {
                continue;
            }
            Patch p = Patch.of(n);
            for (int i = 0; i < n.outputs().size(); i++) {
                if (!n.output(i).isAbsent()) {
                    p.replace(n.output(i), first.output(i));
                    same.put(n.output(i), first.output(i));
                }
            }
            patches.add(p);
        }
        return patches.isEmpty() ? graph : Rewriter.apply(graph, patches);
    }

    private static boolean sameOutputs(Node a, Node b) {
        for (int i = 0; i < a.outputs().size(); i++) {
            if (a.output(i).isAbsent() != b.output(i).isAbsent()) {
                return false;
            }
        }
        return true;
    }
}
