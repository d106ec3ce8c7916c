package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Clip;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Rewrites  Clip(x, low, high)  ->  CLIP(x)  with constant bounds, which then are parameters. A bound left out is infinite.
 * Needs: constants folded.
 */
final class LowerClip implements Rule {
    @Override
    public String name() {
        return "lower-clip";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Clip)
                || !UnaryFn.CLIP.accepts(n.input(0).tensorType().dtype())) {
            return Optional.empty();
        }
        OptionalDouble low = bound(g, n.input(1), Double.NEGATIVE_INFINITY);
        OptionalDouble high = bound(g, n.input(2), Double.POSITIVE_INFINITY);
        if (low.isEmpty() || high.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(Patch.of(n)
                .replace(
                        n.output(0),
                        new Unary(UnaryFn.CLIP, (float) low.getAsDouble(), (float) high.getAsDouble()),
                        n.input(0)));
    }

    /** The bound if a parameter can hold it without rounding. */
    private static OptionalDouble bound(Graph g, Value v, double ifAbsent) {
        if (v.isAbsent()) {
            return OptionalDouble.of(ifAbsent);
        }
        OptionalDouble s = Patterns.scalar(g, v);
        return s.isPresent() && (float) s.getAsDouble() == s.getAsDouble() ? s : OptionalDouble.empty();
    }
}
