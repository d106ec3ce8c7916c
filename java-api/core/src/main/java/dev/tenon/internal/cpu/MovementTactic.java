package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ir.Node;

/** Operators that move elements. */
final class MovementTactic {
    private MovementTactic() {}

    /** Reshape, Squeeze, Unsqueeze, Flatten, Identity: the same elements under another shape. */
    static boolean reshape(Node n, ProgramBuilder b) {
        b.add(
                ProgramStep.RESHAPE,
                n,
                b.params(ProgramStep.RESHAPE).set("src", b.id(n.input(0))).set("dst", b.id(n.output(0))));
        return true;
    }
}
