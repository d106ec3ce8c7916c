package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.Cast;
import dev.tenon.internal.op.Concat;
import dev.tenon.internal.op.Dropout;
import dev.tenon.internal.op.Expand;
import dev.tenon.internal.op.Flatten;
import dev.tenon.internal.op.Identity;
import dev.tenon.internal.op.Pad;
import dev.tenon.internal.op.Reshape;
import dev.tenon.internal.op.Slice;
import dev.tenon.internal.op.Split;
import dev.tenon.internal.op.Squeeze;
import dev.tenon.internal.op.Tile;
import dev.tenon.internal.op.Transpose;
import dev.tenon.internal.op.Unsqueeze;
import dev.tenon.internal.op.Where;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Lets readers of a node that changes nothing read its input:
 *   Identity(x), Dropout(x), Cast(x) to its own type                                 ->  x
 *   Reshape, Flatten, Squeeze, Unsqueeze, Expand, Tile, Slice, Split to the same shape ->  x
 *   Transpose in the same order, Concat of one, Pad by nothing                       ->  x
 *   x + 0, x - 0, x * 1, x / 1                                                       ->  x
 *   Where(all true, x, z)                                                            ->  x
 *   Reshape(Reshape(x, a), b)                                                        ->  Reshape(x, b)
 * Needs: constants folded.
 */
final class RemoveNoOps implements Rule {
    @Override
    public String name() {
        return "remove-no-ops";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        Value same = unchanged(g, n, context);
        if (same == null) {
            return n.op() instanceof Reshape r ? reshapeTwice(g, n, r) : Optional.empty();
        }
        Value out = n.output(0);
        // Two outputs of the graph must not become one value, and an input stays apart from an output.
        if (g.isOutput(out) && (g.producer(same).isEmpty() || !g.hasSingleUse(same))) {
            return Optional.empty();
        }
        return Optional.of(Patch.of(n).replace(out, same));
    }

    /** The value that the first output of {@code n} equals; null if there is none, or another output is wanted. */
    private static @Nullable Value unchanged(Graph g, Node n, PassContext context) {
        Value x = n.input(0);
        return switch (n.op()) {
            case Identity _ -> x;
            case Dropout _ -> isInference(g, n) ? x : null;
            case Cast c -> x.tensorType().dtype() == c.to() ? x : null;
            case Reshape _ -> Patterns.sameShape(x, n.output(0)) ? x : null;
            case Flatten _, Squeeze _, Unsqueeze _, Expand _, Tile _ -> Patterns.sameShape(x, n.output(0)) ? x : null;
            case Transpose _ -> SimplifyTranspose.isIdentity(SimplifyTranspose.order(n)) ? x : null;
            case Concat _ -> n.inputs().size() == 1 ? x : null;
            case Split _ -> n.outputs().size() == 1 && Patterns.sameShape(x, n.output(0)) ? x : null;
            case Slice _ -> Patterns.sameShape(x, n.output(0)) && goesForward(g, n) ? x : null;
            case Pad _ -> padsNothing(g, n) ? x : null;
            case Binary b -> neutral(g, n, b, context);
            case Where _ -> chosen(g, n);
            default -> null;
        };
    }

    /** A slice of everything in its order: of the same shape and with no negative step. */
    private static boolean goesForward(Graph g, Node n) {
        return !n.hasInput(4)
                || g.constant(n.input(4))
                        .map(t -> Arrays.stream(t.toLongArray()).allMatch(s -> s > 0))
                        .orElse(false);
    }

    private static boolean padsNothing(Graph g, Node n) {
        OptionalDouble pads = Patterns.uniform(g, n.input(1));
        return pads.isPresent() && pads.getAsDouble() == 0;
    }

    private static boolean isInference(Graph g, Node n) {
        Value mask = n.output(1);
        boolean maskUnused = mask.isAbsent() || (g.consumers(mask).isEmpty() && !g.isOutput(mask));
        boolean off = !n.hasInput(2)
                || g.constant(n.input(2))
                        .map(t -> t.size() == 1 && !t.getBoolean(0))
                        .orElse(false);
        return maskUnused && off;
    }

    private static @Nullable Value neutral(Graph g, Node n, Binary b, PassContext context) {
        double neutral;
        boolean commutes = false;
        switch (b.fn()) {
            case ADD -> {
                // -0.0 + 0 is 0.0.
                if (context.exact()) {
                    return null;
                }
                neutral = 0;
                commutes = true;
            }
            case SUB -> neutral = 0;
            case MUL -> {
                neutral = 1;
                commutes = true;
            }
            case DIV -> neutral = 1;
            default -> {
                return null;
            }
        }
        for (int i = 0; i < (commutes ? 2 : 1); i++) {
            OptionalDouble c = Patterns.uniform(g, n.input(1 - i));
            if (c.isPresent() && c.getAsDouble() == neutral && Patterns.sameShape(n.input(i), n.output(0))) {
                return n.input(i);
            }
        }
        return null;
    }

    private static @Nullable Value chosen(Graph g, Node n) {
        OptionalDouble c = Patterns.uniform(g, n.input(0));
        if (c.isEmpty()) {
            return null;
        }
        Value v = n.input(c.getAsDouble() != 0 ? 1 : 2);
        return Patterns.sameShape(v, n.output(0)) ? v : null;
    }

    private static Optional<Patch> reshapeTwice(Graph g, Node n, Reshape r) {
        Node inner = Patterns.producer(g, n.input(0), Reshape.class);
        // A zero copies a dimension of the input, which would be another one.
        boolean copies = !r.allowZero()
                && g.constant(n.input(1))
                        .map(t -> Arrays.stream(t.toLongArray()).anyMatch(d -> d == 0))
                        .orElse(true);
        if (inner == null || copies || !(inner.input(0).type() instanceof TensorType)) {
            return Optional.empty();
        }
        return Optional.of(Patch.of(n).replace(n.output(0), r, inner.input(0), n.input(1)));
    }
}
