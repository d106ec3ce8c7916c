package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import java.util.Optional;

/** A local rewrite: looks at one node, the last of its pattern, and says what to put in its place. */
public interface Rule extends Pass {
    /** The rewrite that starts from {@code node}, or empty where the pattern does not match. Must not change anything. */
    Optional<Patch> match(Graph graph, Node node, PassContext context);

    /** Applies the rule until it matches nowhere. */
    @Override
    default Graph run(Graph graph, PassContext context) {
        return Rewriter.apply(this, graph, context);
    }
}
