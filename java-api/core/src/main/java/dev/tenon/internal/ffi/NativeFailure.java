package dev.tenon.internal.ffi;

import java.io.Serial;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A call of the native library that returned another status than OK, with the library's message. */
public final class NativeFailure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int status;

    public NativeFailure(int status, String message) {
        super(message);
        this.status = status;
    }

    /** Throws the failure that {@code error}, a {@code tenon_error}, describes, unless {@code status} is OK. */
    public static void check(int status, MemorySegment error) {
        if (status != TenonConstants.OK) {
            throw new NativeFailure(status, messageOf(error));
        }
    }

    /** The message of a {@code tenon_error}. */
    public static String messageOf(MemorySegment error) {
        return error.getString(TenonH.ERROR_MESSAGE_OFFSET);
    }

    /** One of the status constants of {@link TenonConstants}. */
    public int status() {
        return status;
    }

    /** Whether the library has no implementation of a legal request. */
    public boolean isUnsupported() {
        return status == TenonConstants.UNSUPPORTED;
    }

    /** The code stored in a {@code tenon_error}. */
    public static int codeOf(MemorySegment error) {
        return error.get(ValueLayout.JAVA_INT, 0);
    }
}
