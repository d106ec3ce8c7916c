package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;

/** Removes nodes and constants that no output needs. */
public final class RemoveDeadCode implements Pass {
    @Override
    public String name() {
        return "remove-dead-code";
    }

    @Override
    public Graph run(Graph g, PassContext context) {
        return Graph.pruned(g.name(), g.inputs(), g.outputs(), g.constants(), g.nodes());
    }
}
