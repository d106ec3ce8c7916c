package dev.tenon.internal.ir;

import dev.tenon.TenonException;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Checks what every graph must be, after import and after each pass:
 *
 * <ul>
 *   <li>(V1) every value is written once: by being an input, a constant, or an output of one node
 *   <li>(V2) every value is written before it is read, and outputs are written
 *   <li>(V3) the type of a constant is that of its tensor
 *   <li>(V4) a node's output types do not contradict what its operator infers from its inputs
 *   <li>(V5) inputs and outputs of the graph have names, and no two inputs or outputs share one
 *   <li>(V6) all this holds in subgraphs too
 * </ul>
 */
public final class Verifier {
    private final String where;
    private final Graph graph;
    private final Set<Value> written = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Value, List<Dim>> dims = new IdentityHashMap<>();

    private Verifier(String where, Graph graph) {
        this.where = where;
        this.graph = graph;
    }

    /**
     * @param where what made the graph, for messages
     * @throws IllegalStateException naming the rule that does not hold: a fault of whatever made the graph
     */
    public static void verify(Graph graph, String where) {
        Verifier v = new Verifier(where, graph);
        v.names(graph.inputs(), "inputs");
        v.names(graph.outputs(), "outputs");
        v.values();
    }

    /**
     * As {@link #verify} without V5, for graphs after passes: two of their outputs may have become one value.
     *
     * @throws IllegalStateException naming the rule that does not hold
     */
    public static void verifyOptimised(Graph graph, String where) {
        new Verifier(where, graph).values();
    }

    private void names(List<Value> values, String what) {
        Set<String> names = new HashSet<>();
        for (Value v : values) {
            require(!v.name().isEmpty(), "V5", "one of the " + what + " has no name");
            require(names.add(v.name()), "V5", "two " + what + " are named '" + v.name() + "'");
        }
    }

    private void values() {
        graph.inputs().forEach(v -> write(v, "graph input"));
        graph.constants().forEach((v, t) -> {
            write(v, "constant");
            require(v.type().equals(TensorType.of(t.type(), t.shape())), "V3", "constant " + v + " holds " + t);
        });
        for (Node n : graph.nodes()) {
            for (Value v : n.inputs()) {
                require(
                        v.isAbsent() || written.contains(v),
                        "V2",
                        n.describe() + " reads " + v + ", which nothing before it writes");
            }
            infer(n);
            for (Value v : n.outputs()) {
                if (!v.isAbsent()) {
                    write(v, n.describe());
                }
            }
            for (Graph body : Subgraphs.of(n.op())) {
                new Verifier(where + ", body of " + n.describe(), body).values();
            }
        }
        for (Value v : graph.outputs()) {
            require(written.contains(v), "V2", "output " + v + " is written by nothing");
        }
    }

    private void write(Value v, String by) {
        require(!v.isAbsent(), "V1", by + " is the absent value");
        require(written.add(v), "V1", v + " is written twice; the second time by " + by);
    }

    private void infer(Node n) {
        Inference in = new Inference(n, graph::constant, v -> Optional.ofNullable(dims.get(v)));
        List<ValueType> types;
        try {
            types = in.types();
            if (n.outputs().size() == 1 && !n.output(0).isAbsent()) {
                n.op().inferDims(in).ifPresent(d -> dims.put(n.output(0), d));
            }
        } catch (TenonException e) {
            throw new IllegalStateException(where + ": (V4) " + e.getMessage(), e);
        }
        require(
                types.size() >= n.outputs().size(),
                "V4",
                n.describe() + " has " + n.outputs().size() + " outputs; its operator gives " + types.size());
        for (int i = 0; i < n.outputs().size(); i++) {
            Value v = n.output(i);
            if (!v.isAbsent()) {
                require(
                        agree(v.type(), types.get(i)),
                        "V4",
                        n.describe() + " writes " + v + "; its operator infers " + types.get(i));
            }
        }
    }

    /** True unless both know a thing and know it differently. */
    private static boolean agree(ValueType a, ValueType b) {
        if (a instanceof TensorType x && b instanceof TensorType y) {
            return x.dtype() == y.dtype() && agree(x.shape(), y.shape());
        }
        if (a instanceof SequenceType(ValueType x) && b instanceof SequenceType(ValueType y)) {
            return agree(x, y);
        }
        if (a instanceof OptionalType(ValueType x) && b instanceof OptionalType(ValueType y)) {
            return agree(x, y);
        }
        return false;
    }

    private static boolean agree(SymbolicShape a, SymbolicShape b) {
        if (!a.isRanked() || !b.isRanked()) {
            return true;
        }
        if (a.rank() != b.rank()) {
            return false;
        }
        for (int i = 0; i < a.rank(); i++) {
            if (a.dim(i).isKnown() && b.dim(i).isKnown() && !a.dim(i).equals(b.dim(i))) {
                return false;
            }
        }
        return true;
    }

    private void require(boolean ok, String rule, String message) {
        if (!ok) {
            throw new IllegalStateException(where + ": (" + rule + ") " + message);
        }
    }
}
