package dev.tenon;

/** Native memory could not be had: the system refused, or the cap of this process is reached. */
public class NativeMemoryException extends TenonException {
    private static final long serialVersionUID = 1L;

    public NativeMemoryException(String message) {
        super(message);
    }

    public NativeMemoryException(String message, Throwable cause) {
        super(message, cause);
    }
}
