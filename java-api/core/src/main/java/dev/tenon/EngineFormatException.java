package dev.tenon;

/** An engine file is damaged, or was built for another version or processor. */
public class EngineFormatException extends TenonException {
    private static final long serialVersionUID = 1L;

    public EngineFormatException(String message) {
        super(message);
    }

    public EngineFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
