package dev.tenon.cuda.internal.nvrtc;

/**
 * What a kernel is compiled for.
 *
 * @param architecture ten times the compute capability, with a letter if it has one: {@code 90}, {@code 90a}, {@code 120}
 */
public record CudaTarget(String architecture, Format format) {
    /** The kind of code. */
    public enum Format {
        /** Machine code of this architecture. */
        CUBIN,
        /** Text that drivers of this and later architectures compile when they load it; zero-terminated. */
        PTX
    }

    public CudaTarget {
        if (!architecture.matches("[1-9][0-9]{1,2}[af]?")) {
            throw new IllegalArgumentException(
                    "'" + architecture + "' is no CUDA architecture; expected one such as 90, 90a or 120");
        }
    }

    public static CudaTarget cubin(String architecture) {
        return new CudaTarget(architecture, Format.CUBIN);
    }

    public static CudaTarget ptx(String architecture) {
        return new CudaTarget(architecture, Format.PTX);
    }

    /** The architecture's number without the letter. */
    int number() {
        return Integer.parseInt(architecture.replaceAll("[af]$", ""));
    }

    /** As the compiler's option {@code --gpu-architecture} takes it: {@code sm_90} or {@code compute_90}. */
    @Override
    public String toString() {
        return (format == Format.CUBIN ? "sm_" : "compute_") + architecture;
    }
}
