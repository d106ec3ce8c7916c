package dev.tenon;

/** A shape, element type or value does not fit where it is used. */
public class ShapeException extends TenonException {
    private static final long serialVersionUID = 1L;

    public ShapeException(String message) {
        super(message);
    }

    public ShapeException(String message, Throwable cause) {
        super(message, cause);
    }
}
