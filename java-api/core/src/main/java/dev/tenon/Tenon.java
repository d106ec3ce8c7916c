package dev.tenon;

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
                throw new IllegalStateException("dev/tenon/version.properties is missing: this copy of Tenon is incomplete");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read dev/tenon/version.properties", e);
        }
    }
}
