package dev.tenon;

/** The model file is damaged, hostile or breaks a rule of the ONNX standard. */
public class ModelFormatException extends TenonException {
    private static final long serialVersionUID = 1L;

    public ModelFormatException(String message) {
        super(message);
    }

    public ModelFormatException(String message, Throwable cause) {
        super(message, cause);
    }
}
