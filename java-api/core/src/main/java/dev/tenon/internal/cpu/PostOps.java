package dev.tenon.internal.cpu;

import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.TenonConstants;
import dev.tenon.internal.op.Unary;
import java.util.Optional;

/** Writes what a step does to its result before storing it. */
final class PostOps {
    private PostOps() {}

    /**
     * First the residual is added, then the activation applied.
     *
     * @param residual the native number of the value to add, or NO_VALUE
     * @return false if there is no kernel for the activation
     */
    static boolean write(NativeStruct params, long residual, Optional<Unary> activation) {
        int n = 0;
        if (residual != TenonConstants.NO_VALUE) {
            params.set("post_ops[" + n + "].kind", (long) TenonConstants.POST_ADD);
            params.set("post_ops[" + n + "].value", residual);
            n++;
        }
        if (activation.isPresent()) {
            Unary a = activation.get();
            if (Functions.number(a.fn()).isEmpty()) {
                return false;
            }
            params.set("post_ops[" + n + "].kind", (long) TenonConstants.POST_ACTIVATION);
            params.set("post_ops[" + n + "].function", (long)
                    Functions.number(a.fn()).getAsInt());
            params.set("post_ops[" + n + "].alpha", (double) a.alpha());
            params.set("post_ops[" + n + "].beta", (double) a.beta());
            n++;
        }
        params.set("post_op_count", (long) n);
        return true;
    }
}
