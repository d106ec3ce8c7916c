package dev.tenon;

/** The device that was asked for, or a library that it needs, is not there. */
public class DeviceUnavailableException extends TenonException {
    private static final long serialVersionUID = 1L;

    public DeviceUnavailableException(String message) {
        super(message);
    }

    public DeviceUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
