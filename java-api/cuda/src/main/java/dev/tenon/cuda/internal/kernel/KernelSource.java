package dev.tenon.cuda.internal.kernel;

/**
 * CUDA C++ of one kernel.
 *
 * @param name the kernel's plain C name
 * @param text the source; it includes headers of kernels/cuda only
 */
public record KernelSource(String name, String text) {}
