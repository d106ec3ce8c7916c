package dev.tenon.cuda.internal.nvrtc;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The headers of kernels/cuda that a source includes, which are resources of this module. */
final class KernelHeaders {
    private static final String FOLDER = "/dev/tenon/cuda/headers/";
    private static final Pattern INCLUDE = Pattern.compile("(?m)^#include \"([^\"]+)\"");

    private KernelHeaders() {}

    /** Texts by names, with what headers include; those of the host's side are not there. */
    static SortedMap<String, String> of(String source) {
        SortedMap<String, String> headers = new TreeMap<>();
        collect(source, headers);
        return headers;
    }

    private static void collect(String text, SortedMap<String, String> headers) {
        Matcher include = INCLUDE.matcher(text);
        while (include.find()) {
            String name = include.group(1);
            if (!headers.containsKey(name)) {
                @Nullable String header = read(name);
                if (header != null) {
                    headers.put(name, header);
                    collect(header, headers);
                }
            }
        }
    }

    private static @Nullable String read(String name) {
        try (InputStream in = KernelHeaders.class.getResourceAsStream(FOLDER + name)) {
            return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("header " + name + " cannot be read", e);
        }
    }
}
