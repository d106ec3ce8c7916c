package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Attention;
import dev.tenon.internal.op.BatchNorm;
import dev.tenon.internal.op.BitCast;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.CastLike;
import dev.tenon.internal.op.DequantizeLinear;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.QuantizeLinear;
import dev.tenon.internal.op.Recurrent;
import dev.tenon.internal.op.Resize;
import dev.tenon.internal.op.RotaryEmbedding;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes in single precision what a model computes in half precision (FLOAT16 or BFLOAT16):
 *   MatMul(x: half, w: half constant)  ->  Cast(MatMul(Cast(x), w: float32)) to half
 * Between two such nodes nothing is cast; what moves elements goes along. Inputs and outputs of the graph keep their types,
 * constants are converted once. Not if exact: intermediate results are no longer rounded to half precision.
 * Before: everything that looks for FLOAT32.
 */
final class PromoteHalf implements Pass {
    @Override
    public String name() {
        return "promote-half";
    }

    @Override
    public Graph run(Graph g, PassContext context) {
        boolean needed = !context.exact()
                && g.nodes().stream()
                        .anyMatch(n -> computes(n.op()) && n.inputs().stream().anyMatch(PromoteHalf::isHalf));
        return needed ? new Rewrite(g, context).run() : g;
    }

    private static boolean isHalf(Value v) {
        return !v.isAbsent() && v.type() instanceof TensorType t && isHalf(t.dtype());
    }

    private static boolean isHalf(DataType t) {
        return t == DataType.FLOAT16 || t == DataType.BFLOAT16;
    }

    /** True if the operator works on numbers, so that their precision matters. */
    private static boolean computes(Op op) {
        return switch (op) {
            case Cast _, CastLike _, BitCast _, QuantizeLinear _, DequantizeLinear _ -> false;
            case Attention _, BatchNorm _, FusedAttention _, Recurrent _, Resize _, RotaryEmbedding _ -> true;
            default ->
                switch (op.trait()) {
                    case ELEMENTWISE, REDUCTION, CONTRACTION -> true;
                    case DATA_MOVEMENT, CONTROL_FLOW, OPAQUE -> false;
                };
        };
    }

    private static final class Rewrite {
        private final Graph graph;
        private final PassContext context;
        private final Map<Value, Tensor> constants;
        private final List<Node> nodes = new ArrayList<>();

        /** The single precision forms of half precision values. */
        private final Map<Value, Value> singles = new IdentityHashMap<>();

        /** Values that others take the place of. */
        private final Map<Value, Value> replaced = new IdentityHashMap<>();

        Rewrite(Graph graph, PassContext context) {
            this.graph = graph;
            this.context = context;
            this.constants = new LinkedHashMap<>(graph.constants());
        }

        Graph run() {
            for (Node n : graph.nodes()) {
                if (computes(n.op()) || follows(n)) {
                    promote(n);
                } else if (n.op() instanceof Cast c
                        && c.to() == DataType.FLOAT32
                        && singles.containsKey(n.input(0))
                        && !graph.isOutput(n.output(0))) {
                    replaced.put(n.output(0), singles.get(n.input(0)));
                } else {
                    nodes.add(new Node(
                            n.op(), n.inputs().stream().map(this::current).toList(), n.outputs(), n.origin()));
                }
            }
            return Graph.pruned(graph.name(), graph.inputs(), graph.outputs(), constants, nodes);
        }

        private Value current(Value v) {
            return replaced.getOrDefault(v, v);
        }

        /** True for what moves elements of which the single precision form is there. */
        private boolean follows(Node n) {
            return n.op().trait() == OpTrait.DATA_MOVEMENT
                    && !(n.op() instanceof BitCast)
                    && n.inputs().stream().anyMatch(singles::containsKey);
        }

        private void promote(Node n) {
            List<Value> inputs = new ArrayList<>();
            for (Value v : n.inputs()) {
                inputs.add(isHalf(v) ? single(v) : current(v));
            }
            List<Value> outputs = new ArrayList<>();
            List<Node> casts = new ArrayList<>();
            for (Value v : n.outputs()) {
                if (!isHalf(v)) {
                    outputs.add(v);
                    continue;
                }
                Value s = new Value(v.name() + "_single", new TensorType(DataType.FLOAT32, Patterns.shape(v)));
                outputs.add(s);
                singles.put(v, s);
                casts.add(new Node(Cast.of(v.tensorType().dtype()), List.of(s), List.of(v), n.origin()));
            }
            nodes.add(new Node(single(n.op()), inputs, outputs, n.origin()));
            // Those that nothing reads vanish.
            nodes.addAll(casts);
        }

        /** The operator on single precision: chains alone name the types of their results. */
        private static Op single(Op op) {
            if (!(op instanceof ElementwiseChain c)) {
                return op;
            }
            List<ElementwiseChain.Step> steps = c.steps().stream()
                    .map(s -> new ElementwiseChain.Step(
                            s.fn(), isHalf(s.type()) ? DataType.FLOAT32 : s.type(), s.operands(), s.alpha(), s.beta()))
                    .toList();
            return new ElementwiseChain(c.inputs(), steps);
        }

        private Value single(Value v) {
            Value known = singles.get(v);
            if (known != null) {
                return known;
            }
            Value s = new Value(v.name() + "_single", new TensorType(DataType.FLOAT32, Patterns.shape(v)));
            singles.put(v, s);
            Tensor t = graph.constant(v).orElse(null);
            if (t != null && !t.isPacked()) {
                constants.put(s, converted(t));
            } else {
                nodes.add(new Node(Cast.of(DataType.FLOAT32), List.of(v), List.of(s), ""));
            }
            return s;
        }

        private Tensor converted(Tensor t) {
            Tensor s = Tensor.allocate(context.constants(), DataType.FLOAT32, t.shape());
            s.copyFrom(t.toFloatArray());
            return s;
        }
    }
}
