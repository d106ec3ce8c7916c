package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.HeadLayout;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Softmax;
import dev.tenon.internal.op.SoftmaxKind;
import dev.tenon.internal.op.Transpose;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  MatMul(Softmax(scale * MatMul(q, k') + mask), v)  ->  FusedAttention(q, k, v, mask)
 * for q, k and v of shape [batch, heads, length, size], where
 *   the scale is a constant factor of the product, of q or of k', or of several of them;
 *   there may be no mask, or sums with masks, or Where(condition, very negative, scores), see {@link AttentionScores};
 *   Transposes of q, k, v and the result that only move the axis of the heads become part of the attention.
 * Needs: simplify-arithmetic. Before: fuse-matmul-bias, fuse-elementwise.
 * Source: Vaswani et al. 2017, equation 1; Dao et al. 2022 for computing it in one step.
 */
final class FuseAttention implements Rule {
    private static final List<Long> SWAP_HEADS = List.of(0L, 2L, 1L, 3L);
    private static final List<Long> SWAP_LAST = List.of(0L, 1L, 3L, 2L);
    private static final List<Long> HEADS_THEN_LAST = List.of(0L, 2L, 3L, 1L);

    /** A tensor read in this layout, and the constant that it is multiplied by. */
    private record Operand(Value value, HeadLayout layout, double factor) {}

    @Override
    public String name() {
        return "fuse-attention";
    }

    @Override
    public Optional<Patch> match(Graph g, Node root, PassContext context) {
        if (!(root.op() instanceof MatMul) || !isHeads(root.output(0)) || !isHeads(root.input(1))) {
            return Optional.empty();
        }
        Node softmax = Patterns.onlyProducer(g, root.input(0), Softmax.class);
        if (softmax == null || !isOverLastAxis((Softmax) softmax.op())) {
            return Optional.empty();
        }
        List<Node> matched = new ArrayList<>();
        AttentionScores scores = AttentionScores.find(g, softmax.input(0), context, matched);
        if (scores == null || !isHeads(scores.q()) || !isHeads(scores.k()) || !sameHeads(scores, root.input(1))) {
            return Optional.empty();
        }
        Operand q = heads(g, scores.q());
        Operand k = scores.keysTransposed() ? turnedKeys(g, scores.k()) : heads(g, scores.k());
        Operand v = heads(g, root.input(1));
        if (v.factor != 1) {
            v = new Operand(root.input(1), HeadLayout.HEADS_FIRST, 1);
        }
        matched.add(softmax);
        matched.add(root);
        Node turn = onlyReader(g, root.output(0), SWAP_HEADS);
        if (turn != null) {
            matched.add(turn);
        }
        Patch p = Patch.of(matched);
        List<Value> inputs = new ArrayList<>(List.of(q.value, k.value, v.value));
        Value mask = mask(p, g, scores, context);
        if (mask != null) {
            inputs.add(mask);
        }
        FusedAttention op = new FusedAttention(
                (float) (scores.scale() * q.factor * k.factor),
                false,
                q.layout,
                k.layout,
                v.layout,
                turn == null ? HeadLayout.HEADS_FIRST : HeadLayout.LENGTH_FIRST);
        return Optional.of(p.replace(turn == null ? root.output(0) : turn.output(0), op, inputs));
    }

    private static boolean isHeads(Value v) {
        return Patterns.isFloat32(v)
                && Patterns.shape(v).isRanked()
                && Patterns.shape(v).rank() == 4;
    }

    private static boolean isOverLastAxis(Softmax s) {
        return s.kind() == SoftmaxKind.SOFTMAX && !s.flatten() && (s.axis() == -1 || s.axis() == 3);
    }

    /** Products broadcast batches and heads; attention must not. */
    private static boolean sameHeads(AttentionScores s, Value v) {
        for (int axis = 0; axis < 2; axis++) {
            Dim d = Patterns.shape(s.q()).dim(axis);
            if (!d.equals(Patterns.shape(s.k()).dim(axis))
                    || !d.equals(Patterns.shape(v).dim(axis))) {
                return false;
            }
        }
        return true;
    }

    /** [batch, heads, length, size], or what it is the transpose of. */
    private static Operand heads(Graph g, Value v) {
        double factor = 1;
        Value at = v;
        HeadLayout layout = HeadLayout.HEADS_FIRST;
        while (true) {
            Node scaled = AttentionScores.scaling(g, at);
            Node turned = transpose(g, at, SWAP_HEADS);
            if (scaled != null) {
                factor *= AttentionScores.factor(g, scaled);
                at = AttentionScores.scaled(g, scaled);
            } else if (turned != null && layout == HeadLayout.HEADS_FIRST) {
                at = turned.input(0);
                layout = HeadLayout.LENGTH_FIRST;
            } else {
                return new Operand(at, layout, factor);
            }
        }
    }

    /** Keys that are [batch, heads, size, length]. */
    private static Operand turnedKeys(Graph g, Value v) {
        double factor = 1;
        Value at = v;
        for (Node s = AttentionScores.scaling(g, at); s != null; s = AttentionScores.scaling(g, at)) {
            factor *= AttentionScores.factor(g, s);
            at = AttentionScores.scaled(g, s);
        }
        Node both = transpose(g, at, HEADS_THEN_LAST);
        if (both != null) {
            return new Operand(both.input(0), HeadLayout.LENGTH_FIRST, factor);
        }
        Node last = transpose(g, at, SWAP_LAST);
        if (last != null) {
            Operand inner = heads(g, last.input(0));
            return new Operand(inner.value, inner.layout, factor * inner.factor);
        }
        return new Operand(at, HeadLayout.TRANSPOSED, factor);
    }

    private static @Nullable Node transpose(Graph g, Value v, List<Long> perm) {
        Node n = Patterns.producer(g, v, Transpose.class);
        return n != null && ((Transpose) n.op()).perm().equals(perm) ? n : null;
    }

    private static @Nullable Node onlyReader(Graph g, Value v, List<Long> perm) {
        if (!g.hasSingleUse(v)) {
            return null;
        }
        Node n = g.consumers(v).getFirst();
        return n.op() instanceof Transpose t && t.perm().equals(perm) ? n : null;
    }

    /** The sum of all masks. */
    private static @Nullable Value mask(Patch p, Graph g, AttentionScores scores, PassContext context) {
        Value sum = null;
        for (AttentionScores.Mask m : scores.masks()) {
            Value v = m.additive(p, g, context);
            if (sum == null) {
                sum = v;
            } else {
                SymbolicShape shape = SymbolicShape.broadcast(Patterns.shape(sum), Patterns.shape(v));
                TensorType type = new TensorType(v.tensorType().dtype(), shape);
                sum = p.node(v.name() + "_sum", type, new Binary(BinaryFn.ADD), sum, v);
            }
        }
        return sum;
    }
}
