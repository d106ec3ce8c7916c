package dev.tenon.internal.ffi;

import java.lang.foreign.MemorySegment;

/** Reads C strings that the native side owns. */
public final class CStrings {
    private CStrings() {}

    /** Text of the zero-terminated UTF-8 string at {@code address}. */
    @SuppressWarnings("restricted")
    public static String text(MemorySegment address) {
        return address.reinterpret(Long.MAX_VALUE).getString(0);
    }
}
