package dev.tenon.internal.pass;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.op.FusedAttention;
import java.util.Optional;

/**
 * A constant mask of zeros               ->  no mask
 * A constant mask that hides the future  ->  causal attention, which skips what it hides
 * Needs: constants folded, fuse-attention. Masks made from shapes become constants when a plan fixes the shapes.
 */
final class SimplifyAttentionMask implements Rule {
    /** What is that far below a score has no weight, however large the scores are. */
    private static final double HIDDEN = -1e8;

    @Override
    public String name() {
        return "simplify-attention-mask";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof FusedAttention a) || !n.hasInput(FusedAttention.MASK)) {
            return Optional.empty();
        }
        Tensor mask = g.constant(n.input(FusedAttention.MASK)).orElse(null);
        if (mask == null || mask.isPacked() || mask.size() == 0) {
            return Optional.empty();
        }
        float[] values = mask.toFloatArray();
        boolean causal = !isZero(values);
        if (causal && (context.exact() || a.causal() || !hidesFuture(n, a, mask.shape(), values))) {
            return Optional.empty();
        }
        FusedAttention plain = new FusedAttention(a.scale(), a.causal() || causal, a.q(), a.k(), a.v(), a.y());
        return Optional.of(Patch.of(n).replace(n.output(0), plain, n.input(0), n.input(1), n.input(2)));
    }

    private static boolean isZero(float[] values) {
        for (float v : values) {
            if (v != 0) {
                return false;
            }
        }
        return true;
    }

    /** True if exactly the keys after i + keys - queries are hidden from query i, in every batch and head. */
    private static boolean hidesFuture(Node n, FusedAttention a, Shape mask, float[] values) {
        SymbolicShape q = Patterns.shape(n.input(0));
        SymbolicShape k = Patterns.shape(n.input(1));
        if (!q.isConcrete() || !k.isConcrete() || mask.rank() < 2) {
            return false;
        }
        long queries = q.size(a.q().length);
        long keys = k.size(a.k().length);
        if (keys < queries
                || mask.dim(-2) != queries
                || mask.dim(-1) != keys
                || values.length % (queries * keys) != 0) {
            return false;
        }
        for (int i = 0; i < values.length; i++) {
            boolean future = i % keys > i / keys % queries + keys - queries;
            if (future ? !(values[i] <= HIDDEN) : values[i] != 0) {
                return false;
            }
        }
        return true;
    }
}
