package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Where;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Attention scores before the softmax:  scale * (q times k) + masks.
 *
 * @param keysTransposed true if {@code k} is [.., size, length], as the product wants it
 */
record AttentionScores(Value q, Value k, boolean keysTransposed, double scale, List<Mask> masks) {
    /** A score below every other by this much has no weight after a softmax in single precision. */
    private static final double HIDDEN = -1e4;

    /**
     * What is added to the scores, or the condition under which a very negative number takes their place.
     *
     * @param hidden that number; NaN if {@code value} is added
     * @param hiddenIf the value of the condition that hides
     */
    record Mask(Value value, double hidden, boolean hiddenIf) {
        /** The mask as something to add. */
        Value additive(Patch p, Graph g, PassContext context) {
            if (Double.isNaN(hidden)) {
                return value;
            }
            Tensor condition = g.constant(value).orElse(null);
            if (condition != null && !condition.isPacked()) {
                Tensor t = Tensor.allocate(context.constants(), DataType.FLOAT32, condition.shape());
                for (long i = 0; i < t.size(); i++) {
                    t.setDouble(i, condition.getBoolean(i) == hiddenIf ? hidden : 0);
                }
                return p.constant(value.name() + "_mask", t);
            }
            Value low = p.constant(value.name() + "_hidden", scalar(hidden, context));
            Value zero = p.constant(value.name() + "_visible", scalar(0, context));
            TensorType type = new TensorType(DataType.FLOAT32, Patterns.shape(value));
            return p.node(
                    value.name() + "_mask", type, new Where(), value, hiddenIf ? low : zero, hiddenIf ? zero : low);
        }

        private static Tensor scalar(double v, PassContext context) {
            Tensor t = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.scalar());
            t.setDouble(0, v);
            return t;
        }
    }

    /** Follows {@code v} up to the product; null if it is none of the known forms. Adds the nodes on the way. */
    static @Nullable AttentionScores find(Graph g, Value v, PassContext context, List<Node> matched) {
        double scale = 1;
        List<Mask> masks = new ArrayList<>();
        Value at = v;
        while (g.hasSingleUse(at) && Patterns.isFloat32(at)) {
            Node n = g.producer(at).orElse(null);
            if (n == null) {
                return null;
            }
            matched.add(n);
            if (n.op() instanceof MatMul) {
                return new AttentionScores(n.input(0), n.input(1), true, scale, masks);
            }
            if (n.op() instanceof FusedMatMul m) {
                return ofFused(n, m, scale, masks);
            }
            if (scalingOf(g, n)) {
                scale *= factor(g, n);
                at = scaled(g, n);
                continue;
            }
            // Above a scale, a mask would be scaled too.
            Value next = scale == 1 ? masked(g, n, at, context, masks) : null;
            if (next == null) {
                return null;
            }
            at = next;
        }
        return null;
    }

    private static @Nullable AttentionScores ofFused(Node n, FusedMatMul m, double scale, List<Mask> masks) {
        if (m.transA() || m.activation().isPresent() || n.hasInput(FusedMatMul.BIAS) || (m.residual() && scale != 1)) {
            return null;
        }
        if (m.residual()) {
            masks.add(new Mask(n.input(FusedMatMul.RESIDUAL), Double.NaN, false));
        }
        return new AttentionScores(n.input(0), n.input(1), !m.transB(), scale * m.alpha(), masks);
    }

    /** The scores that {@code n} masks. */
    private static @Nullable Value masked(Graph g, Node n, Value out, PassContext context, List<Mask> masks) {
        if (Patterns.is(n, BinaryFn.ADD)) {
            int scores = leadsToProduct(g, n.input(0)) ? 0 : 1;
            Value mask = n.input(1 - scores);
            if (!broadcasts(mask, out) || !Patterns.sameShape(n.input(scores), out)) {
                return null;
            }
            masks.add(new Mask(mask, Double.NaN, false));
            return n.input(scores);
        }
        if (n.op() instanceof Where && !context.exact() && broadcasts(n.input(0), out)) {
            for (int i = 1; i <= 2; i++) {
                OptionalDouble hidden = Patterns.scalar(g, n.input(i));
                if (hidden.isPresent() && hidden.getAsDouble() <= HIDDEN && Patterns.sameShape(n.input(3 - i), out)) {
                    masks.add(new Mask(n.input(0), hidden.getAsDouble(), i == 1));
                    return n.input(3 - i);
                }
            }
        }
        return null;
    }

    /** True if a product is behind scales and masks of {@code v}. */
    private static boolean leadsToProduct(Graph g, Value v) {
        Node n = g.hasSingleUse(v) ? g.producer(v).orElse(null) : null;
        if (n == null) {
            return false;
        }
        return switch (n.op()) {
            case MatMul _, FusedMatMul _ -> true;
            case Where _ -> leadsToProduct(g, n.input(1)) || leadsToProduct(g, n.input(2));
            case Binary(BinaryFn fn) ->
                switch (fn) {
                    case ADD, MUL -> leadsToProduct(g, n.input(0)) || leadsToProduct(g, n.input(1));
                    case DIV -> leadsToProduct(g, n.input(0));
                    default -> false;
                };
            default -> false;
        };
    }

    /** True if {@code mask} can be read with the scores' index, broadcast where it is 1. */
    private static boolean broadcasts(Value mask, Value scores) {
        SymbolicShape m = Patterns.shape(mask);
        SymbolicShape s = Patterns.shape(scores);
        if (!m.isRanked() || !s.isRanked() || m.rank() == 0 || m.rank() > s.rank()) {
            return false;
        }
        for (int i = 1; i <= m.rank(); i++) {
            Dim d = m.dim(-i);
            if (!d.is(1) && !d.equals(s.dim(-i))) {
                return false;
            }
        }
        return true;
    }

    /** The node that multiplies by (or divides by) a constant number to give {@code v}, of v's shape. */
    static @Nullable Node scaling(Graph g, Value v) {
        Node n = g.producer(v).orElse(null);
        return n != null && scalingOf(g, n) ? n : null;
    }

    private static boolean scalingOf(Graph g, Node n) {
        boolean mul = Patterns.is(n, BinaryFn.MUL);
        if (!mul && !Patterns.is(n, BinaryFn.DIV)) {
            return false;
        }
        boolean right = Patterns.scalar(g, n.input(1)).isPresent() && !g.isConstant(n.input(0));
        boolean left = mul && Patterns.scalar(g, n.input(0)).isPresent() && !g.isConstant(n.input(1));
        return (right || left) && Patterns.sameShape(scaled(g, n), n.output(0));
    }

    static Value scaled(Graph g, Node n) {
        return g.isConstant(n.input(0)) ? n.input(1) : n.input(0);
    }

    static double factor(Graph g, Node n) {
        double c = Patterns.scalar(g, g.isConstant(n.input(0)) ? n.input(0) : n.input(1))
                .orElseThrow();
        return Patterns.is(n, BinaryFn.DIV) ? 1 / c : c;
    }
}
