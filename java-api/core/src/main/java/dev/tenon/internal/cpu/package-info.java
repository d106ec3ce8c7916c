/**
 * The processor as a device: each operator's {@link dev.tenon.internal.cpu.Tactic} turns nodes into steps of a native
 * program. Entry class: {@link dev.tenon.internal.cpu.CpuBackend}; {@link dev.tenon.internal.cpu.Tactics} is the list.
 *
 * <p>Besides memory the only package that sees the native bindings. Must not depend on engines.
 */
@NullMarked
package dev.tenon.internal.cpu;

import org.jspecify.annotations.NullMarked;
