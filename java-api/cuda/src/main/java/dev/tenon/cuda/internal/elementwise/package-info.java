/**
 * Kernels of elementwise chains: CUDA C++ for one chain and one class of shapes, and launches of it for given shapes and
 * addresses. Entry class: {@link dev.tenon.cuda.internal.elementwise.ElementwiseKernel}.
 *
 * <p>Knows operators and types; must not depend on the compiler or a device.
 */
@NullMarked
package dev.tenon.cuda.internal.elementwise;

import org.jspecify.annotations.NullMarked;
