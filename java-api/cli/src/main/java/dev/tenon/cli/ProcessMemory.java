package dev.tenon.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Figures of {@code /proc} about this process and machine. */
final class ProcessMemory {
    private ProcessMemory() {}

    /** The most memory this process ever held, JVM and mapped files included; -1 if the system does not say. */
    static long peakBytes() {
        return kilobytes(Path.of("/proc/self/status"), "VmHWM:");
    }

    /** A figure given in kB after its name, in bytes; -1 if it is not there. */
    static long kilobytes(Path file, String name) {
        try {
            for (String line : Files.readAllLines(file)) {
                if (line.startsWith(name)) {
                    return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
                }
            }
            return -1;
        } catch (IOException | NumberFormatException e) {
            return -1;
        }
    }
}
