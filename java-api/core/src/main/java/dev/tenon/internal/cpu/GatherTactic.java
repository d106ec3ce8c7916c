package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.op.Gather;
import dev.tenon.internal.op.GatherElements;
import dev.tenon.internal.op.GatherNd;

/** Operators that pick elements by indices that are data. */
final class GatherTactic {
    private GatherTactic() {}

    static boolean slices(Node n, ProgramBuilder b) {
        return add(n, b, TenonConstants.GATHER, ((Gather) n.op()).axis(), 0);
    }

    static boolean elements(Node n, ProgramBuilder b) {
        return add(n, b, TenonConstants.GATHER_ELEMENTS, ((GatherElements) n.op()).axis(), 0);
    }

    static boolean tuples(Node n, ProgramBuilder b) {
        return add(n, b, TenonConstants.GATHER_ND, 0, ((GatherNd) n.op()).batchDims());
    }

    private static boolean add(Node n, ProgramBuilder b, int kind, long axis, long batchDims) {
        NativeStruct p = b.params(ProgramStep.GATHER)
                .set("data", b.id(n.input(0)))
                .set("indices", b.id(n.input(1)))
                .set("dst", b.id(n.output(0)))
                .set("kind", (long) kind)
                .set(
                        "axis",
                        MovementTactic.axis(
                                axis, ProgramBuilder.shape(n.input(0)).rank()))
                .set("batch_dims", batchDims);
        b.add(ProgramStep.GATHER, n, p);
        return true;
    }
}
