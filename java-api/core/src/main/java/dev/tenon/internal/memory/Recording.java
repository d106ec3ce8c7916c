package dev.tenon.internal.memory;

import jdk.jfr.FlightRecorder;

/**
 * Whether a flight recording has been started in this process. Touching an event class before that would set up the
 * recorder, which takes a tenth of a second of a fresh process.
 */
public final class Recording {
    private Recording() {}

    public static boolean isOn() {
        return FlightRecorder.isInitialized();
    }
}
