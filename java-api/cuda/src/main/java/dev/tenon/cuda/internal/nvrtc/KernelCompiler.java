package dev.tenon.cuda.internal.nvrtc;

import dev.tenon.cuda.internal.kernel.KernelSource;
import java.util.SortedMap;

/** Turns sources into code. Calls may come from any thread. */
public interface KernelCompiler {
    /** Name and version: equal ones make equal code. */
    String version();

    /**
     * The code of one kernel.
     *
     * @param headers texts of all headers by the names under which they are included
     * @throws dev.tenon.cuda.KernelCompilationException with the compiler's log
     * @throws dev.tenon.DeviceUnavailableException if the compiler does not know the architecture
     */
    byte[] compile(KernelSource source, SortedMap<String, String> headers, CudaTarget target);
}
