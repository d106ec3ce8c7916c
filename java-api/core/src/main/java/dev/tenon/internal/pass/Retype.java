package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.op.Identity;
import dev.tenon.internal.op.If;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Infers all types of a graph anew, from other input types or after rewrites, and folds on the way what became constant. An
 * If whose condition did is replaced by the nodes of its branch. Names of values stay.
 */
public final class Retype {
    private final Map<Value, Value> renamed = new IdentityHashMap<>();
    private final Map<Value, Tensor> constants = new LinkedHashMap<>();
    private final Map<Value, List<Dim>> dims = new IdentityHashMap<>();
    private final Map<ByContent, Value> small = new HashMap<>();
    private final Map<Computation, List<Value>> computed = new HashMap<>();
    private final Set<Value> outputs = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<Node> nodes = new ArrayList<>();
    private final FoldConstants folder;

    /** A constant of few bytes, to find equal ones. */
    private record ByContent(TensorType type, ByteBuffer bytes) {
        private static final int MAX_BYTES = 128;
    }

    /** A node of constants: models repeat the same computation of shapes and masks in every layer. */
    private record Computation(Op op, List<Value> inputs) {}

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
        outputs.addAll(graph.outputs());
        graph.constants().forEach((v, t) -> renamed.put(v, outputs.contains(v) ? keep(v, t) : shared(v, t)));
        renamed.put(Value.ABSENT, Value.ABSENT);
        graph.nodes().forEach(this::retype);
        List<Value> results = graph.outputs().stream().map(renamed::get).toList();
        return Graph.pruned(graph.name(), inputs, results, constants, nodes);
    }

    private Value keep(Value v, Tensor t) {
        constants.put(v, t);
        return v;
    }

    /** A constant with the elements of {@code t}: an earlier one if there is one, else {@code v}. */
    private Value shared(Value v, Tensor t) {
        if (t.isPacked() || t.type() == DataType.STRING || t.byteSize() > ByContent.MAX_BYTES) {
            return keep(v, t);
        }
        ByteBuffer bytes = ByteBuffer.wrap(t.segment().toArray(ValueLayout.JAVA_BYTE));
        Value known = small.putIfAbsent(new ByContent(constantType(t), bytes), v);
        return known == null ? keep(v, t) : known;
    }

    /** Adds the node with inferred outputs, unless it is folded. */
    private void retype(Node old) {
        Node n = new Node(old.op(), old.inputs().stream().map(renamed::get).toList(), old.outputs(), old.origin());
        if (n.op() instanceof If choice && isDecided(n)) {
            inline(n, constants.get(n.input(0)).getBoolean(0) ? choice.thenBranch() : choice.elseBranch());
            return;
        }
        boolean shareable = isShareable(n);
        List<Value> known = shareable ? computed.get(new Computation(n.op(), n.inputs())) : null;
        if (known != null && known.size() == old.outputs().size()) {
            for (int i = 0; i < known.size(); i++) {
                renamed.put(old.output(i), old.output(i).isAbsent() ? Value.ABSENT : known.get(i));
            }
            return;
        }
        Inference in =
                new Inference(n, v -> Optional.ofNullable(constants.get(v)), v -> Optional.ofNullable(dims.get(v)));
        List<ValueType> types = in.types();
        Optional<List<Tensor>> folded = folder.fold(n, types, constants, dims, in);
        if (folded.isPresent()) {
            List<Value> values = new ArrayList<>();
            for (int i = 0; i < old.outputs().size(); i++) {
                values.add(folded(old.output(i), folded.get().get(i)));
            }
            if (shareable) {
                computed.put(new Computation(n.op(), n.inputs()), values);
            }
            return;
        }
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < old.outputs().size(); i++) {
            Value o = old.output(i);
            Value v = o.isAbsent() ? o : new Value(o.name(), types.get(i));
            values.add(v);
            renamed.put(o, v);
        }
        if (values.size() == 1) {
            n.op().inferDims(in).ifPresent(d -> dims.put(values.getFirst(), d));
        }
        nodes.add(new Node(n.op(), n.inputs(), values, n.origin()));
    }

    private boolean isDecided(Node n) {
        Tensor condition = constants.get(n.input(0));
        return condition != null && !condition.isPacked() && condition.type() == DataType.BOOL && condition.size() == 1;
    }

    private void inline(Node n, Graph branch) {
        for (int i = 0; i < branch.inputs().size(); i++) {
            renamed.put(branch.inputs().get(i), n.input(1 + i));
        }
        branch.constants().forEach((v, t) -> renamed.put(v, shared(v, t)));
        branch.nodes().forEach(this::retype);
        for (int i = 0; i < n.outputs().size(); i++) {
            Value old = n.output(i);
            Value result = branch.outputs().get(i);
            if (outputs.contains(old)) {
                // An output of the graph keeps its name.
                retype(new Node(new Identity(), List.of(result), List.of(old), n.origin()));
            } else if (!old.isAbsent()) {
                renamed.put(old, renamed.get(result));
            }
        }
    }

    /** True if an equal node can stand for {@code n}: one of constants, which makes no output of the graph. */
    private boolean isShareable(Node n) {
        return n.inputs().stream().allMatch(v -> v.isAbsent() || constants.containsKey(v))
                && n.outputs().stream().noneMatch(v -> v.isAbsent() || outputs.contains(v))
                && n.op().isDeterministic();
    }

    /** The constant that takes the place of {@code old}. */
    private Value folded(Value old, Tensor t) {
        if (old.isAbsent()) {
            return old;
        }
        Value v = new Value(old.name(), constantType(t));
        Value constant = outputs.contains(old) ? keep(v, t) : shared(v, t);
        renamed.put(old, constant);
        return constant;
    }

    private static TensorType constantType(Tensor t) {
        return TensorType.of(t.type(), t.shape());
    }
}
