/**
 * What the parts of the CUDA module tell each other about a kernel: its source ({@link
 * dev.tenon.cuda.internal.kernel.KernelSource}) and how to launch it ({@link
 * dev.tenon.cuda.internal.kernel.KernelLaunch}). Depends on nothing but the JDK.
 */
@NullMarked
package dev.tenon.cuda.internal.kernel;

import org.jspecify.annotations.NullMarked;
