package dev.tenon.internal.reference;

import dev.tenon.Datum;
import dev.tenon.NativeMemoryException;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Runs graphs node by node with the operators' reference implementations. */
public final class Interpreter {
    private Interpreter() {}

    /**
     * The graph's outputs for these inputs. Results and intermediates live in {@code scope}.
     *
     * @param inputs one for each graph input, in order
     */
    public static List<Datum> run(Graph graph, List<Datum> inputs, MemoryScope scope) {
        Map<Value, Datum> values = new IdentityHashMap<>(graph.constants());
        for (int i = 0; i < inputs.size(); i++) {
            values.put(graph.inputs().get(i), inputs.get(i));
        }
        for (Node node : graph.nodes()) {
            List<@Nullable Datum> arguments = new ArrayList<>(node.inputs().size());
            for (Value v : node.inputs()) {
                arguments.add(v.isAbsent() ? null : values.get(v));
            }
            List<Datum> results = evaluate(node, arguments, scope);
            for (int i = 0; i < node.outputs().size(); i++) {
                if (!node.output(i).isAbsent()) {
                    values.put(node.output(i), results.get(i));
                }
            }
        }
        return graph.outputs().stream().map(values::get).toList();
    }

    /**
     * The outputs of one node.
     *
     * @param arguments one for each input, null where it is absent
     * @throws dev.tenon.ShapeException if the inputs break a rule of the operator, or a size overflows
     * @throws NativeMemoryException if the Java heap cannot hold the operator's work arrays
     */
    public static List<Datum> evaluate(Node node, List<@Nullable Datum> arguments, MemoryScope scope) {
        return evaluate(node, arguments, scope, Interpreter::run);
    }

    /** As {@link #evaluate(Node, List, MemoryScope)}, with another way to run the bodies of control flow. */
    public static List<Datum> evaluate(
            Node node, List<@Nullable Datum> arguments, MemoryScope scope, Evaluation.GraphRunner bodies) {
        Evaluation in = new Evaluation(node, arguments, scope, bodies);
        try {
            return node.op().evaluate(in);
        } catch (ArithmeticException e) {
            throw in.error("a size overflows");
        } catch (OutOfMemoryError e) {
            throw new NativeMemoryException(
                    node.describe()
                            + ": the Java heap is too small for the reference implementation; give more with -Xmx",
                    e);
        }
    }
}
