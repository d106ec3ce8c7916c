/**
 * All native memory of the Java side. Entry class: {@link dev.tenon.internal.memory.MemoryScope}, a group of allocations
 * that end together; its blocks come from one pool for the process, which has the limit and the figures. {@link
 * dev.tenon.internal.memory.LeakGuard} finds what nobody closed.
 *
 * <p>Depends on the native bindings and on the API's report and exception types only.
 */
@NullMarked
package dev.tenon.internal.memory;

import org.jspecify.annotations.NullMarked;
