package dev.tenon.internal.ffi;

import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/** The {@code tenon_program_add_<step>} functions, which share one signature, each with the struct it takes. */
public enum ProgramStep {
    CONV(TenonStructs.CONV_PARAMS),
    DECONV(TenonStructs.CONV_PARAMS),
    MATMUL(TenonStructs.MATMUL_PARAMS),
    POOL(TenonStructs.POOL_PARAMS),
    SOFTMAX(TenonStructs.SOFTMAX_PARAMS),
    LAYER_NORM(TenonStructs.LAYER_NORM_PARAMS),
    RMS_NORM(TenonStructs.LAYER_NORM_PARAMS),
    GROUP_NORM(TenonStructs.GROUP_NORM_PARAMS),
    LRN(TenonStructs.LRN_PARAMS),
    ELEMENTWISE(TenonStructs.ELEMENTWISE_PARAMS),
    REDUCE(TenonStructs.REDUCE_PARAMS),
    GATHER(TenonStructs.GATHER_PARAMS),
    TRANSPOSE(TenonStructs.TRANSPOSE_PARAMS),
    SLICE(TenonStructs.SLICE_PARAMS),
    PAD(TenonStructs.PAD_PARAMS),
    CONCAT(TenonStructs.CONCAT_PARAMS),
    RESHAPE(TenonStructs.UNARY_PARAMS),
    EXPAND(TenonStructs.UNARY_PARAMS),
    CAST(TenonStructs.UNARY_PARAMS),
    RESIZE(TenonStructs.RESIZE_PARAMS),
    ATTENTION(TenonStructs.ATTENTION_PARAMS),
    RECURRENT(TenonStructs.RECURRENT_PARAMS);

    private final StructShape params;
    private volatile @Nullable MethodHandle handle;

    ProgramStep(StructShape params) {
        this.params = params;
    }

    public StructShape params() {
        return params;
    }

    /** The C function. */
    public String symbol() {
        return "tenon_program_add_" + name().toLowerCase(java.util.Locale.ROOT);
    }

    /** Made at its first use. */
    MethodHandle handle() {
        MethodHandle h = handle;
        if (h == null) {
            h = TenonH.addStepHandle(symbol());
            handle = h;
        }
        return h;
    }
}
