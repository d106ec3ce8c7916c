package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Infers all types of a graph anew, from other input types or after rewrites, and folds on the way what became constant.
 * Names of values stay.
 */
public final class Retype {
    private final Map<Value, Value> renamed = new IdentityHashMap<>();
    private final Map<Value, Tensor> constants = new LinkedHashMap<>();
    private final Map<Value, List<Dim>> dims = new IdentityHashMap<>();
    private final FoldConstants folder;

    private Retype(FoldConstants folder) {
        this.folder = folder;
    }

    /** The graph with these types of its inputs. */
    public static Graph run(Graph graph, List<? extends ValueType> inputTypes, FoldConstants folder) {
        return new Retype(folder).retype(graph, inputTypes);
    }

    private Graph retype(Graph graph, List<? extends ValueType> inputTypes) {
        List<Value> inputs = new ArrayList<>();
        for (int i = 0; i < graph.inputs().size(); i++) {
            Value old = graph.inputs().get(i);
            Value v = new Value(old.name(), inputTypes.get(i));
            renamed.put(old, v);
            inputs.add(v);
        }
        graph.constants().forEach((v, t) -> {
            renamed.put(v, v);
            constants.put(v, t);
        });
        renamed.put(Value.ABSENT, Value.ABSENT);
        List<Node> nodes = new ArrayList<>();
        for (Node old : graph.nodes()) {
            retype(old).ifPresent(nodes::add);
        }
        List<Value> outputs = graph.outputs().stream().map(renamed::get).toList();
        return Graph.pruned(graph.name(), inputs, outputs, constants, nodes);
    }

    /** The node with inferred outputs; empty if it was folded. */
    private Optional<Node> retype(Node old) {
        Node n = new Node(old.op(), old.inputs().stream().map(renamed::get).toList(), old.outputs(), old.origin());
        Inference in =
                new Inference(n, v -> Optional.ofNullable(constants.get(v)), v -> Optional.ofNullable(dims.get(v)));
        List<ValueType> types = n.op().infer(in);
        Optional<List<Tensor>> folded = folder.fold(n, types, constants, dims, in);
        List<Value> outputs = new ArrayList<>();
        for (int i = 0; i < old.outputs().size(); i++) {
            Value o = old.output(i);
            Value v = o.isAbsent()
                    ? o
                    : new Value(
                            o.name(),
                            folded.isPresent() ? constantType(folded.get().get(i)) : types.get(i));
            outputs.add(v);
            renamed.put(o, v);
            if (!o.isAbsent() && folded.isPresent()) {
                constants.put(v, folded.get().get(i));
            }
        }
        if (folded.isPresent()) {
            return Optional.empty();
        }
        if (outputs.size() == 1) {
            n.op().inferDims(in).ifPresent(d -> dims.put(outputs.getFirst(), d));
        }
        return Optional.of(new Node(n.op(), n.inputs(), outputs, n.origin()));
    }

    private static TensorType constantType(Tensor t) {
        return TensorType.of(t.type(), t.shape());
    }
}
