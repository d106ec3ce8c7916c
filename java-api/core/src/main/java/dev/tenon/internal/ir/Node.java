package dev.tenon.internal.ir;

import java.util.List;

/**
 * One operation of the graph.
 *
 * @param inputs in the operator's order; an optional input left out is {@link Value#ABSENT}
 * @param outputs in the operator's order; one that nobody wants may be {@link Value#ABSENT}
 * @param origin the node's name in the model, kept through rewrites (joined by {@code +} where nodes were fused)
 */
public record Node(Op op, List<Value> inputs, List<Value> outputs, String origin) {
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    /** Input {@code i}, or {@link Value#ABSENT} if there are fewer. */
    public Value input(int i) {
        return i < inputs.size() ? inputs.get(i) : Value.ABSENT;
    }

    /** Output {@code i}, or {@link Value#ABSENT} if there are fewer. */
    public Value output(int i) {
        return i < outputs.size() ? outputs.get(i) : Value.ABSENT;
    }

    public boolean hasInput(int i) {
        return !input(i).isAbsent();
    }

    /** Nodes are equal only to themselves: two nodes may do the same work on the same values. */
    @Override
    public boolean equals(Object o) {
        return this == o;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }

    /** How messages name this node: {@code Conv 'layer1.0/conv1'}. */
    public String describe() {
        return op.name() + (origin.isEmpty() ? "" : " '" + origin + "'");
    }
}
