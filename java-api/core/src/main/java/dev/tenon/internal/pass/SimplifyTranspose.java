package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.op.Transpose;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  Transpose(Transpose(x, p), q)  ->  Transpose(x, p then q).
 * Before: remove-no-ops, which removes what comes out as no transpose at all.
 */
final class SimplifyTranspose implements Rule {
    @Override
    public String name() {
        return "simplify-transpose";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        List<Long> outer = order(n);
        Node inner = outer == null ? null : Patterns.producer(g, n.input(0), Transpose.class);
        List<Long> first = inner == null ? null : order(inner);
        if (outer == null || inner == null || first == null) {
            return Optional.empty();
        }
        List<Long> both = outer.stream().map(i -> first.get(i.intValue())).toList();
        return Optional.of(Patch.of(n).replace(n.output(0), new Transpose(both), inner.input(0)));
    }

    /** The source axis of each axis of the result; null if {@code n} is no transpose or the rank is not known. */
    static @Nullable List<Long> order(Node n) {
        if (!(n.op() instanceof Transpose t) || !Patterns.shape(n.input(0)).isRanked()) {
            return null;
        }
        int rank = Patterns.shape(n.input(0)).rank();
        List<Long> order = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            long p = t.perm().isEmpty() ? rank - 1 - i : t.perm().get(i);
            order.add(p < 0 ? p + rank : p);
        }
        return order;
    }

    static boolean isIdentity(@Nullable List<Long> order) {
        if (order == null) {
            return false;
        }
        for (int i = 0; i < order.size(); i++) {
            if (order.get(i) != i) {
                return false;
            }
        }
        return true;
    }
}
