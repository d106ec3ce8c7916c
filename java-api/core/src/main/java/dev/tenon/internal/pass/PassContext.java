package dev.tenon.internal.pass;

import dev.tenon.internal.memory.MemoryScope;

/**
 * What passes may know besides the graph.
 *
 * @param constants memory for constants that passes make; it lives as long as the engine
 * @param exact no rewrite that changes results beyond the order of sums
 */
public record PassContext(MemoryScope constants, boolean exact) {}
