/**
 * Compiles kernels at run time with NVRTC, and keeps what was compiled. Entry classes: {@link
 * dev.tenon.cuda.internal.nvrtc.KernelCache} and, behind it, {@link dev.tenon.cuda.internal.nvrtc.Nvrtc}; the library is
 * bound through FFM (docs/adr/0006). Needs no GPU and no driver.
 *
 * <p>Knows sources, not what they compute; must not depend on operators.
 */
@NullMarked
package dev.tenon.cuda.internal.nvrtc;

import org.jspecify.annotations.NullMarked;
