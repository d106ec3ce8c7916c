package dev.tenon.internal.ir;

import dev.tenon.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An immutable graph in single-assignment form. Nodes are in an order in which every value is written before it is read.
 * Every value read is an input, a constant, or an output of an earlier node; subgraphs see nothing but their own inputs.
 */
public final class Graph {
    private final String name;
    private final List<Value> inputs;
    private final List<Value> outputs;
    private final Map<Value, Tensor> constants;
    private final List<Node> nodes;
    private @Nullable Map<Value, Node> producers;
    private @Nullable Map<Value, List<Node>> consumers;

    /** @param nodes in an order in which every value is written before it is read */
    public Graph(String name, List<Value> inputs, List<Value> outputs, Map<Value, Tensor> constants, List<Node> nodes) {
        this.name = name;
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.constants = Collections.unmodifiableMap(new LinkedHashMap<>(constants));
        this.nodes = List.copyOf(nodes);
    }

    public String name() {
        return name;
    }

    public List<Value> inputs() {
        return inputs;
    }

    public List<Value> outputs() {
        return outputs;
    }

    public Map<Value, Tensor> constants() {
        return constants;
    }

    public List<Node> nodes() {
        return nodes;
    }

    /** The node that writes {@code v}; empty for inputs and constants. */
    public Optional<Node> producer(Value v) {
        Map<Value, Node> p = producers;
        if (p == null) {
            p = new IdentityHashMap<>();
            for (Node n : nodes) {
                for (Value out : n.outputs()) {
                    p.put(out, n);
                }
            }
            producers = p;
        }
        return Optional.ofNullable(v.isAbsent() ? null : p.get(v));
    }

    /** The nodes that read {@code v}, once for each time they do, in graph order. */
    public List<Node> consumers(Value v) {
        Map<Value, List<Node>> c = consumers;
        if (c == null) {
            c = new IdentityHashMap<>();
            for (Node n : nodes) {
                for (Value in : n.inputs()) {
                    c.computeIfAbsent(in, k -> new ArrayList<>(2)).add(n);
                }
            }
            consumers = c;
        }
        return c.getOrDefault(v, List.of());
    }

    public boolean isOutput(Value v) {
        return outputs.contains(v);
    }

    /** True if exactly one node reads {@code v}, once, and it is no graph output: it may vanish into a fusion. */
    public boolean hasSingleUse(Value v) {
        return consumers(v).size() == 1 && !isOutput(v);
    }

    /** The value of {@code v} if it is a constant. */
    public Optional<Tensor> constant(Value v) {
        return Optional.ofNullable(constants.get(v));
    }

    public boolean isConstant(Value v) {
        return constants.containsKey(v);
    }

    /** This graph with other nodes; constants that nothing reads any more are dropped. */
    public Graph withNodes(List<Node> newNodes) {
        return rebuilt(inputs, outputs, constants, newNodes);
    }

    /** A graph of these parts without nodes whose outputs nobody reads and without unused constants. */
    public static Graph pruned(
            String name, List<Value> inputs, List<Value> outputs, Map<Value, Tensor> constants, List<Node> nodes) {
        Set<Value> live = Collections.newSetFromMap(new IdentityHashMap<>());
        live.addAll(outputs);
        List<Node> kept = new ArrayList<>(nodes.size());
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node n = nodes.get(i);
            if (n.outputs().stream().anyMatch(v -> !v.isAbsent() && live.contains(v))) {
                kept.add(n);
                n.inputs().forEach(live::add);
            }
        }
        Collections.reverse(kept);
        Map<Value, Tensor> used = new LinkedHashMap<>();
        constants.forEach((v, t) -> {
            if (live.contains(v)) {
                used.put(v, t);
            }
        });
        return new Graph(name, inputs, outputs, used, kept);
    }

    private Graph rebuilt(List<Value> ins, List<Value> outs, Map<Value, Tensor> consts, List<Node> newNodes) {
        Set<Value> read = new HashSet<>(outs);
        newNodes.forEach(n -> read.addAll(n.inputs()));
        Map<Value, Tensor> used = new LinkedHashMap<>();
        consts.forEach((v, t) -> {
            if (read.contains(v)) {
                used.put(v, t);
            }
        });
        return new Graph(name, ins, outs, used, newNodes);
    }
}
