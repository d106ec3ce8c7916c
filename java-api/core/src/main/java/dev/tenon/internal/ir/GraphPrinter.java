package dev.tenon.internal.ir;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * Writes a graph as text, one line an input, constant, node and output:
 *
 * <pre>{@code
 * graph classifier
 *   input    %0 x: float32[Nx3]
 *   constant %1 w: float32[3x2] = 1.0 0.0 0.5 ...
 *   %2 y: float32[Nx2] = MatMul(%0, %1)  // fc1
 *   output   %2
 * }</pre>
 *
 * The text depends on the graph alone: values are numbered in order, as are dimensions of which nothing is known. An
 * omitted value is {@code -}. Subgraphs follow their node, indented.
 */
public final class GraphPrinter {
    private static final int SHOWN_ELEMENTS = 8;

    private final StringBuilder out = new StringBuilder();
    private final Map<Value, Integer> numbers = new IdentityHashMap<>();
    private final Map<String, String> unknowns = new HashMap<>();

    private GraphPrinter() {}

    public static String print(Graph graph) {
        GraphPrinter p = new GraphPrinter();
        p.graph("graph", graph, "");
        return p.out.toString();
    }

    private void graph(String title, Graph g, String indent) {
        out.append(indent)
                .append(title)
                .append(g.name().isEmpty() ? "" : " " + g.name())
                .append('\n');
        String inner = indent + "  ";
        for (Value v : g.inputs()) {
            out.append(inner).append("input    ").append(definition(v)).append('\n');
        }
        g.constants()
                .forEach((v, t) -> out.append(inner)
                        .append("constant ")
                        .append(definition(v))
                        .append(" = ")
                        .append(elements(t))
                        .append('\n'));
        for (Node n : g.nodes()) {
            node(n, inner);
        }
        StringJoiner outputs = new StringJoiner(", ", inner + "output   ", "\n");
        g.outputs().forEach(v -> outputs.add(reference(v)));
        out.append(outputs);
    }

    private void node(Node n, String indent) {
        StringJoiner inputs = new StringJoiner(", ", "(", ")");
        n.inputs().forEach(v -> inputs.add(reference(v)));
        StringJoiner outputs = new StringJoiner(", ");
        n.outputs().forEach(v -> outputs.add(definition(v)));
        StringJoiner attributes = new StringJoiner(", ", " {", "}").setEmptyValue("");
        List<String> bodyNames = new ArrayList<>();
        List<Graph> bodies = new ArrayList<>();
        Subgraphs.components(n.op()).forEach((name, value) -> {
            if ((value instanceof Optional<?> o ? o.orElse(null) : value) instanceof Graph g) {
                bodyNames.add(name);
                bodies.add(g);
            } else {
                attributes.add(name + "=" + value);
            }
        });
        out.append(indent)
                .append(outputs)
                .append(" = ")
                .append(n.op().name())
                .append(inputs)
                .append(attributes);
        if (!n.origin().isEmpty()) {
            out.append("  // ").append(n.origin());
        }
        out.append('\n');
        for (int i = 0; i < bodies.size(); i++) {
            graph(bodyNames.get(i), bodies.get(i), indent + "  ");
        }
    }

    private String definition(Value v) {
        if (v.isAbsent()) {
            return "-";
        }
        return reference(v) + " " + v.name() + ": " + type(v.type());
    }

    private String reference(Value v) {
        return v.isAbsent() ? "-" : "%" + numbers.computeIfAbsent(v, k -> numbers.size());
    }

    private String type(ValueType type) {
        return switch (type) {
            case SequenceType(ValueType element) -> "seq(" + type(element) + ")";
            case OptionalType(ValueType element) -> "optional(" + type(element) + ")";
            case TensorType t
            when t.shape().isRanked() -> {
                List<Dim> dims = t.shape().dims().stream().map(this::dim).toList();
                yield new TensorType(t.dtype(), SymbolicShape.of(dims)).toString();
            }
            case TensorType t -> t.toString();
        };
    }

    /** Unknown dimensions have numbers that differ from run to run; here they count from 0. */
    private Dim dim(Dim d) {
        return d instanceof Dim.Symbol(String name) && name.startsWith("?")
                ? Dim.symbol(unknowns.computeIfAbsent(name, k -> "?" + unknowns.size()))
                : d;
    }

    private static String elements(Tensor t) {
        if (t.isPacked()) {
            return "(packed for the device)";
        }
        StringJoiner s = new StringJoiner(" ");
        for (long i = 0; i < Math.min(SHOWN_ELEMENTS, t.size()); i++) {
            s.add(element(t, i));
        }
        return t.size() > SHOWN_ELEMENTS ? s + " ..." : s.toString();
    }

    private static String element(Tensor t, long i) {
        DataType type = t.type();
        if (type == DataType.STRING) {
            return "\"" + t.getString(i) + "\"";
        }
        if (type.isComplex()) {
            return "?";
        }
        return type.isFloat() ? Double.toString(t.getDouble(i)) : Long.toString(t.getLong(i));
    }
}
