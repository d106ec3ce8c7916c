package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.onnx.OnnxModel.FunctionDef;
import dev.tenon.internal.onnx.OnnxModel.NodeDef;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The names that nodes of one graph, or of one call of a function, read and write. */
final class NameScope {
    /** How messages name the graph or function. */
    final String owner;

    final Opsets opsets;
    final List<NodeDef> nodes;

    /** Stands before the names of values and nodes: the path of calls in the model. */
    final String prefix;

    /** The caller's names of a function's outputs. */
    final Map<String, String> renamed = new HashMap<>();

    /** Declared types, by name. */
    final Map<String, ValueType> declared = new HashMap<>();

    /** Values of the attributes that a function body may refer to; null outside functions. */
    final @Nullable Map<String, Object> attributes;

    /** The function whose call this is, and the scope of the call; null for graphs outside functions. */
    final @Nullable FunctionDef function;

    final @Nullable NameScope caller;
    final int depth;
    private final Map<String, Value> values = new HashMap<>();

    NameScope(
            String owner,
            Opsets opsets,
            List<NodeDef> nodes,
            String prefix,
            @Nullable Map<String, Object> attributes,
            @Nullable FunctionDef function,
            @Nullable NameScope caller) {
        this.owner = owner;
        this.opsets = opsets;
        this.nodes = nodes;
        this.prefix = prefix;
        this.attributes = attributes;
        this.function = function;
        this.caller = caller;
        this.depth = caller == null ? 0 : caller.depth + 1;
    }

    /** The name in the graph of what this scope calls {@code name}. */
    String fullName(String name) {
        return renamed.getOrDefault(name, prefix + name);
    }

    /** @throws ModelFormatException if the name is taken */
    void define(String name, Value value) {
        if (name.isEmpty()) {
            throw new ModelFormatException("a value of " + owner + " has an empty name");
        }
        if (values.putIfAbsent(name, value) != null) {
            throw new ModelFormatException("value '" + name + "' of " + owner + " is written more than once");
        }
    }

    /** The value of this name, null if it is not written yet. */
    @Nullable
    Value find(String name) {
        return values.get(name);
    }

    /** The value that a node reads. @throws ModelFormatException if it is not written before */
    Value read(String name, NodeDef reader) {
        if (name.isEmpty()) {
            return Value.ABSENT;
        }
        Value v = values.get(name);
        if (v != null) {
            return v;
        }
        String what = reader.describe() + " reads '" + name + "'";
        NodeDef writer = writers().get(name);
        if (writer == null) {
            throw new ModelFormatException(what + ", which nothing in " + owner + " writes");
        }
        throw new ModelFormatException(what + ", which " + writer.describe() + " writes later: "
                + (dependsOn(writer, reader) ? "the graph has a cycle" : "nodes are not in topological order"));
    }

    private Map<String, NodeDef> writers() {
        Map<String, NodeDef> out = new HashMap<>();
        nodes.forEach(n -> n.outputs().forEach(o -> out.put(o, n)));
        return out;
    }

    private boolean dependsOn(NodeDef node, NodeDef other) {
        Map<String, NodeDef> writers = writers();
        Set<String> seen = new HashSet<>(node.inputs());
        Deque<String> open = new ArrayDeque<>(seen);
        while (!open.isEmpty()) {
            String name = open.pop();
            if (other.outputs().contains(name)) {
                return true;
            }
            NodeDef w = writers.get(name);
            if (w != null) {
                w.inputs().stream().filter(seen::add).forEach(open::push);
            }
        }
        return node == other;
    }
}
