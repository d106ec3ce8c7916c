/**
 * Bindings of the native library, one class per C header: {@link dev.tenon.internal.ffi.TenonH} for
 * {@code native/include/tenon/tenon.h}. Entry class: {@link dev.tenon.internal.ffi.NativeLibrary}, which finds and loads
 * the library and keeps the outcome as a value.
 *
 * <p>Depends on nothing but the JDK. Only the memory and cpu packages may use it.
 */
@NullMarked
package dev.tenon.internal.ffi;

import org.jspecify.annotations.NullMarked;
