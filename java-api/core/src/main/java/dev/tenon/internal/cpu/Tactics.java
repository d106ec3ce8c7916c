package dev.tenon.internal.cpu;

import dev.tenon.internal.ir.Op;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Reshape;
import dev.tenon.internal.op.Unary;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The list of operators that run natively on the processor. All others run by their reference on the host. */
final class Tactics {
    private static final Map<Class<? extends Op>, Tactic> ALL = Map.ofEntries(
            Map.entry(Binary.class, ElementwiseTactic::binary),
            Map.entry(MatMul.class, MatMulTactic::plain),
            Map.entry(Reshape.class, MovementTactic::reshape),
            Map.entry(Unary.class, ElementwiseTactic::unary));

    private Tactics() {}

    static @Nullable Tactic of(Op op) {
        return ALL.get(op.getClass());
    }
}
