package dev.tenon;

/** A run was stopped by its deadline or by a cancel request. The session stays usable. */
public class CancelledException extends TenonException {
    private static final long serialVersionUID = 1L;

    public CancelledException(String message) {
        super(message);
    }

    public CancelledException(String message, Throwable cause) {
        super(message, cause);
    }
}
