package dev.tenon.internal.cpu;

import dev.tenon.internal.ir.Node;

/** Lowers one kind of operator to native steps. */
@FunctionalInterface
interface Tactic {
    /**
     * Adds the steps of {@code n}; types are native and shapes concrete.
     *
     * @return false if there is no native form of this node; it then runs on the host
     * @throws dev.tenon.internal.ffi.NativeFailure as {@link ProgramBuilder#add} does
     */
    boolean lower(Node n, ProgramBuilder b);
}
