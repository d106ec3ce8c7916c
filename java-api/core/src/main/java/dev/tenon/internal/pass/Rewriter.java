package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Applies patches: the one place where graphs are edited. */
public final class Rewriter {
    /** A rule that still matches after so many sweeps undoes its own work. */
    private static final int MAX_SWEEPS = 1000;

    private Rewriter() {}

    static Graph apply(Rule rule, Graph graph, PassContext context) {
        Graph g = graph;
        for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
            List<Patch> patches = new ArrayList<>();
            Set<Node> touched = Collections.newSetFromMap(new IdentityHashMap<>());
            for (Node n : g.nodes()) {
                if (touched.contains(n)) {
                    continue;
                }
                Optional<Patch> p = rule.match(g, n, context);
                if (p.isPresent() && p.get().matched().stream().noneMatch(touched::contains)) {
                    touched.addAll(p.get().matched());
                    patches.add(p.get());
                }
            }
            if (patches.isEmpty()) {
                return g;
            }
            g = apply(g, patches);
        }
        throw new IllegalStateException("pass " + rule.name() + " does not come to an end");
    }

    /** The graph after patches that match disjoint nodes. */
    public static Graph apply(Graph graph, List<Patch> patches) {
        Map<Value, Value> replaced = new IdentityHashMap<>();
        Map<Value, Tensor> constants = new LinkedHashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>(graph.nodes());
        for (Patch p : patches) {
            replaced.putAll(p.replaced());
            constants.putAll(p.constants());
            nodes.addAll(p.added());
        }
        // A replaced value that is a graph output keeps its place in the interface under its new identity.
        List<Value> outputs =
                graph.outputs().stream().map(v -> resolve(replaced, v)).toList();
        List<Node> renamed = new ArrayList<>(nodes.size());
        for (Node n : nodes) {
            boolean changed = n.inputs().stream().anyMatch(replaced::containsKey);
            renamed.add(
                    changed
                            ? new Node(
                                    n.op(),
                                    n.inputs().stream()
                                            .map(v -> resolve(replaced, v))
                                            .toList(),
                                    n.outputs(),
                                    n.origin())
                            : n);
        }
        return Graph.pruned(graph.name(), graph.inputs(), outputs, constants, sorted(graph, renamed, outputs));
    }

    private static Value resolve(Map<Value, Value> replaced, Value v) {
        Value r = v;
        while (replaced.containsKey(r)) {
            r = replaced.get(r);
        }
        return r;
    }

    /** Nodes that the outputs need, each after those it reads from, otherwise in the order given. */
    private static List<Node> sorted(Graph graph, List<Node> nodes, List<Value> outputs) {
        Map<Value, Node> producer = new IdentityHashMap<>();
        for (Node n : nodes) {
            for (Value v : n.outputs()) {
                if (!v.isAbsent()) {
                    producer.put(v, n);
                }
            }
        }
        Set<Node> needed = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Node> open = new ArrayList<>();
        outputs.forEach(v -> need(producer.get(v), needed, open));
        while (!open.isEmpty()) {
            open.removeLast().inputs().forEach(v -> need(producer.get(v), needed, open));
        }
        // Without a cycle, each node puts its producers on the stack at most once.
        int deepest = nodes.stream().mapToInt(n -> n.inputs().size() + 1).sum();
        List<Node> out = new ArrayList<>(nodes.size());
        Set<Node> done = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node root : nodes) {
            if (!needed.contains(root) || done.contains(root)) {
                continue;
            }
            List<Node> stack = new ArrayList<>(List.of(root));
            while (!stack.isEmpty()) {
                Node n = stack.getLast();
                if (done.contains(n)) {
                    stack.removeLast();
                    continue;
                }
                int before = stack.size();
                for (Value v : n.inputs()) {
                    Node p = producer.get(v);
                    if (p != null && !done.contains(p)) {
                        stack.add(p);
                    }
                }
                if (stack.size() == before) {
                    stack.removeLast();
                    done.add(n);
                    out.add(n);
                } else if (stack.size() > deepest) {
                    throw new IllegalStateException("a rewrite made a cycle in graph " + graph.name());
                }
            }
        }
        return out;
    }

    private static void need(Node n, Set<Node> needed, List<Node> open) {
        if (n != null && needed.add(n)) {
            open.add(n);
        }
    }
}
