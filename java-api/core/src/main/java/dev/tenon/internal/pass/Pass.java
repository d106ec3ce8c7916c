package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;

/** One named step of the pipeline: a graph in, an equivalent graph out. */
public interface Pass {
    /** Words joined by hyphens, such as {@code fuse-layer-norm}. */
    String name();

    Graph run(Graph graph, PassContext context);
}
