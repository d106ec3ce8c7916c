package dev.tenon.internal.ir;

import dev.tenon.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One rewrite of a graph: replace these values by those, which these new nodes and constants make. Nodes that nobody reads
 * afterwards vanish by themselves. The matched nodes are named so that two patches never work on one node at a time.
 */
public final class Patch {
    private final List<Node> matched;
    private final List<Node> added = new ArrayList<>();
    private final Map<Value, Tensor> constants = new LinkedHashMap<>();
    private final Map<Value, Value> replaced = new LinkedHashMap<>();

    private Patch(List<Node> matched) {
        this.matched = matched;
    }

    /** A patch of what these nodes do. */
    public static Patch of(Node... matched) {
        return new Patch(List.of(matched));
    }

    public static Patch of(List<Node> matched) {
        return new Patch(List.copyOf(matched));
    }

    /** Adds a node with one output, which takes the place of {@code old} and keeps its name and type. */
    public Patch replace(Value old, Op op, Value... inputs) {
        return replace(old, op, List.of(inputs));
    }

    /** Adds a node with one output, which takes the place of {@code old} and keeps its name and type. */
    public Patch replace(Value old, Op op, List<Value> inputs) {
        Value v = new Value(old.name(), old.type());
        added.add(new Node(op, inputs, List.of(v), origin()));
        replaced.put(old, v);
        return this;
    }

    /** Lets readers of {@code old} read {@code with} instead. */
    public Patch replace(Value old, Value with) {
        replaced.put(old, with);
        return this;
    }

    /** Adds a node with one new output of this type. */
    public Value node(String name, ValueType type, Op op, Value... inputs) {
        Value v = new Value(name, type);
        added.add(new Node(op, List.of(inputs), List.of(v), origin()));
        return v;
    }

    /** Adds a node as it is. */
    public Patch add(Node node) {
        added.add(node);
        return this;
    }

    /** Adds a constant. */
    public Value constant(String name, Tensor tensor) {
        Value v = new Value(name, TensorType.of(tensor.type(), tensor.shape()));
        constants.put(v, tensor);
        return v;
    }

    public List<Node> matched() {
        return matched;
    }

    public List<Node> added() {
        return added;
    }

    public Map<Value, Tensor> constants() {
        return constants;
    }

    public Map<Value, Value> replaced() {
        return replaced;
    }

    /** The matched nodes' names in the model, joined. */
    public String origin() {
        StringBuilder s = new StringBuilder();
        for (Node n : matched) {
            if (!n.origin().isEmpty() && s.indexOf(n.origin()) < 0) {
                s.append(s.isEmpty() ? "" : "+").append(n.origin());
            }
        }
        return s.toString();
    }
}
