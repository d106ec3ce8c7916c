package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Clip;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Rewrites  Clip(x, low, high)  ->  CLIP(x)  with constant bounds, which then are parameters; a bound left out is infinite.
 *           Clip(x, low, high)  ->  Min(Max(x, low), high)  with computed bounds.
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
            return asMinMax(n);
        }
        return Optional.of(Patch.of(n)
                .replace(
                        n.output(0),
                        new Unary(UnaryFn.CLIP, (float) low.getAsDouble(), (float) high.getAsDouble()),
                        n.input(0)));
    }

    /** With bounds that are scalars it is a minimum of a maximum. */
    private static Optional<Patch> asMinMax(Node n) {
        for (int i = 1; i <= 2; i++) {
            if (n.hasInput(i) && !Patterns.shape(n.input(i)).equals(SymbolicShape.SCALAR)) {
                return Optional.empty();
            }
        }
        Patch p = Patch.of(n);
        Value x = n.input(0);
        if (n.hasInput(1) && !n.hasInput(2)) {
            return Optional.of(p.replace(n.output(0), new Binary(BinaryFn.MAX), x, n.input(1)));
        }
        if (n.hasInput(1)) {
            x = p.node(n.output(0).name() + "_raised", x.type(), new Binary(BinaryFn.MAX), x, n.input(1));
        }
        return Optional.of(p.replace(n.output(0), new Binary(BinaryFn.MIN), x, n.input(2)));
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
