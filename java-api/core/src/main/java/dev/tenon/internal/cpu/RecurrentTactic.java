package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.ProgramStep;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.op.Recurrent;
import dev.tenon.internal.op.RecurrentSteps;

/** LSTM and GRU. */
final class RecurrentTactic {
    private RecurrentTactic() {}

    static boolean steps(Node n, ProgramBuilder b) {
        RecurrentSteps s = (RecurrentSteps) n.op();
        b.add(
                ProgramStep.RECURRENT,
                n,
                b.params(ProgramStep.RECURRENT)
                        .set("gates", b.id(n.input(RecurrentSteps.GATES)))
                        .set("weights", b.id(n.input(RecurrentSteps.WEIGHTS)))
                        .set("bias", b.id(n.input(RecurrentSteps.BIAS)))
                        .set("lengths", b.id(n.input(RecurrentSteps.LENGTHS)))
                        .set("initial_h", b.id(n.input(RecurrentSteps.INITIAL_H)))
                        .set("initial_c", b.id(n.input(RecurrentSteps.INITIAL_C)))
                        .set("peepholes", b.id(n.input(RecurrentSteps.PEEPHOLES)))
                        .set("dst", b.id(n.output(0)))
                        .set("last_h", b.id(n.output(1)))
                        .set("last_c", b.id(n.output(2)))
                        .set(
                                "cell",
                                s.cell() == Recurrent.Cell.LSTM ? TenonConstants.CELL_LSTM : TenonConstants.CELL_GRU)
                        .set("reverse", s.reverse() ? 1 : 0));
        return true;
    }
}
