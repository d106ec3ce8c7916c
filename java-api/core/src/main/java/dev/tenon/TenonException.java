package dev.tenon;

/** Root of all errors that Tenon reports. The message says where, what was found, what was expected and what to do. */
public class TenonException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public TenonException(String message) {
        super(message);
    }

    public TenonException(String message, Throwable cause) {
        super(message, cause);
    }
}
