package dev.tenon;

import dev.tenon.internal.memory.NativeMemory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** Facts about this copy of the library. */
public final class Tenon {

    private static final String VERSION = readVersion();

    private Tenon() {}

    /** Returns the library's version, for example {@code 0.1.0}. */
    public static String version() {
        return VERSION;
    }

    private static String readVersion() {
        try (InputStream in = Tenon.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IllegalStateException(
                        "dev/tenon/version.properties is missing: this copy of Tenon is incomplete");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read dev/tenon/version.properties", e);
        }
    }

    /** Native memory in use, by engine and session, and what was never closed. */
    public static MemoryReport memory() {
        return NativeMemory.report();
    }

    /**
     * Sets how much native memory all engines, sessions and tensors of this process may use together; by default as much as
     * the machine or the container has. A request beyond it fails with a {@link NativeMemoryException} that gives the
     * figures, before the system's own limit ends the process.
     *
     * @throws IllegalArgumentException if {@code bytes} is negative
     */
    public static void setMemoryLimit(long bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException("the memory limit is " + bytes + " bytes; at least 0 was expected");
        }
        NativeMemory.setLimit(bytes);
    }

    /** Gives freed memory that is kept for reuse back to the system. */
    public static void trimMemory() {
        NativeMemory.trim();
    }
}
