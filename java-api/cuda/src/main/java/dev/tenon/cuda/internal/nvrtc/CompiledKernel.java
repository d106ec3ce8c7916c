package dev.tenon.cuda.internal.nvrtc;

import java.util.Arrays;

/**
 * The code of one kernel.
 *
 * @param id what it was made of: a hash of source, headers and target
 * @param name the kernel's plain C name
 * @param code what cuLibraryLoadData takes
 */
public record CompiledKernel(String id, String name, CudaTarget target, byte[] code) {
    public CompiledKernel {
        code = code.clone();
    }

    /** A copy of the code. */
    @Override
    public byte[] code() {
        return code.clone();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof CompiledKernel k
                && id.equals(k.id)
                && name.equals(k.name)
                && target.equals(k.target)
                && Arrays.equals(code, k.code);
    }

    @Override
    public int hashCode() {
        return id.hashCode();
    }
}
