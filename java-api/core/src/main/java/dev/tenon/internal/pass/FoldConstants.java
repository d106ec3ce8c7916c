package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.op.If;
import dev.tenon.internal.reference.Interpreter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Computes nodes whose inputs are all constants, with the reference interpreter, and shape vectors whose elements shape
 * inference knows. Results that are larger than their inputs by much are left to the run, so that a tiny model file cannot
 * ask for a huge engine.
 */
public final class FoldConstants implements Pass {
    /** A folded result may have this many bytes without further question. */
    private static final long SMALL_BYTES = 1 << 20;

    /** The largest growth from inputs to outputs for results over {@link #SMALL_BYTES}. */
    private static final long MAX_GROWTH = 4;

    private final MemoryScope memory;

    public FoldConstants(MemoryScope memory) {
        this.memory = memory;
    }

    @Override
    public String name() {
        return "fold-constants";
    }

    @Override
    public Graph run(Graph graph, PassContext context) {
        if (graph.nodes().stream().noneMatch(n -> mayFold(graph, n))) {
            return graph;
        }
        return Retype.run(graph, graph.inputs().stream().map(Value::type).toList(), this);
    }

    /** False if all is known of the node's result but its elements, which depend on inputs. */
    private static boolean mayFold(Graph g, Node n) {
        if (n.op() instanceof If) {
            return g.isConstant(n.input(0));
        }
        if (n.op().trait() == OpTrait.CONTROL_FLOW || !n.op().isDeterministic()) {
            return false;
        }
        boolean concrete = n.outputs().stream()
                .allMatch(v -> v.isAbsent() || (v.type() instanceof TensorType t && t.isConcrete()));
        return !concrete || n.inputs().stream().allMatch(v -> v.isAbsent() || g.isConstant(v));
    }

    /** The outputs of {@code n}, one a result, if they can be had now. */
    Optional<List<Tensor>> fold(
            Node n, List<ValueType> types, Map<Value, Tensor> constants, Map<Value, List<Dim>> dims, Inference in) {
        if (!n.op().isDeterministic() || n.op().trait() == OpTrait.CONTROL_FLOW) {
            return Optional.empty();
        }
        if (n.inputs().stream().allMatch(v -> v.isAbsent() || constants.containsKey(v))) {
            return evaluate(n, types, constants);
        }
        if (types.size() == 1 && types.getFirst() instanceof TensorType t && isShapeVector(t)) {
            return n.op().inferDims(in)
                    .filter(d -> d.stream().allMatch(Dim::isKnown))
                    .map(d -> List.of(shapeVector(t, d)));
        }
        return Optional.empty();
    }

    private static boolean isShapeVector(TensorType t) {
        return (t.dtype() == DataType.INT64 || t.dtype() == DataType.INT32)
                && t.shape().isConcrete()
                && t.shape().rank() <= 1;
    }

    private Tensor shapeVector(TensorType t, List<Dim> dims) {
        Tensor v = Tensor.allocate(memory, t.dtype(), t.shape().concrete());
        for (int i = 0; i < dims.size(); i++) {
            v.setLong(i, dims.get(i).sizeOrMinusOne());
        }
        return v;
    }

    private Optional<List<Tensor>> evaluate(Node n, List<ValueType> types, Map<Value, Tensor> constants) {
        List<@Nullable Datum> arguments = new ArrayList<>();
        long inputBytes = 0;
        for (Value v : n.inputs()) {
            Tensor t = constants.get(v);
            if (t != null && t.isPacked()) {
                return Optional.empty();
            }
            arguments.add(v.isAbsent() ? null : t);
            inputBytes += t == null ? 0 : t.byteSize();
        }
        for (ValueType type : types) {
            if (!(type instanceof TensorType t)) {
                return Optional.empty();
            }
            if (t.isConcrete()) {
                Shape s = t.shape().concrete();
                long bytes = t.dtype() == DataType.STRING
                        ? s.elements() * 16
                        : t.dtype().byteSize(s.elements());
                if (bytes > SMALL_BYTES && bytes / MAX_GROWTH > inputBytes) {
                    return Optional.empty();
                }
            } else if (n.op().trait() != OpTrait.OPAQUE && n.op().trait() != OpTrait.DATA_MOVEMENT) {
                return Optional.empty();
            }
        }
        List<Tensor> results = new ArrayList<>();
        for (Datum d : Interpreter.evaluate(n, arguments, memory)) {
            if (!(d instanceof Tensor t)) {
                return Optional.empty();
            }
            results.add(t);
        }
        return Optional.of(results);
    }
}
