package dev.tenon.internal.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** Gives native addresses a size and a lifetime: the only place that does. */
public final class Pointers {
    private Pointers() {}

    /** A handle that {@code destroy} frees when {@code owner} closes. */
    @SuppressWarnings("restricted")
    public static MemorySegment owned(MemorySegment handle, Arena owner, Consumer<MemorySegment> destroy) {
        return handle.reinterpret(owner, destroy);
    }

    /** Memory of this size that somebody else keeps alive. */
    @SuppressWarnings("restricted")
    public static MemorySegment sized(MemorySegment address, long bytes) {
        return address.reinterpret(bytes);
    }

    /** Memory of this size that may be used while {@code owner} is open. Closing it frees nothing. */
    @SuppressWarnings("restricted")
    public static MemorySegment scoped(long address, long bytes, Arena owner) {
        return MemorySegment.ofAddress(address).reinterpret(bytes, owner, null);
    }
}
