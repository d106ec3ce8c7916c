package dev.tenon.cuda.internal.kernel;

import java.lang.foreign.MemorySegment;

/**
 * One launch of a kernel that takes a single parameter, its struct by value: the Java side of {@code tenon_cuda_launch} in
 * kernels/cuda/common/plan.h.
 *
 * @param kernel the kernel's plain C name
 * @param gridX blocks; the grid has one dimension
 * @param block threads of a block
 * @param sharedBytes dynamic shared memory of a block
 * @param params the parameter struct's bytes, read-only
 */
public record KernelLaunch(String kernel, int gridX, int block, int sharedBytes, MemorySegment params) {}
