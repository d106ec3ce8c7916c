package dev.tenon.cli;

import java.util.Locale;

/** Figures as people read them. */
final class Text {
    private Text() {}

    static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }

    /** A duration with its unit: {@code 12.3 us}. */
    static String time(double nanos) {
        if (nanos < 1e3) {
            return format("%.0f ns", nanos);
        }
        if (nanos < 1e6) {
            return decimal(nanos / 1e3) + " us";
        }
        return nanos < 1e9 ? decimal(nanos / 1e6) + " ms" : decimal(nanos / 1e9) + " s";
    }

    /** Three significant digits. */
    private static String decimal(double v) {
        return format(v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v);
    }

    /** Bytes with a unit: {@code 1.5 MiB}. */
    static String bytes(long bytes) {
        if (bytes < 1 << 10) {
            return bytes + " B";
        }
        double v = bytes / 1024.0;
        for (String unit : new String[] {"KiB", "MiB"}) {
            if (v < 1024) {
                return decimal(v) + " " + unit;
            }
            v /= 1024;
        }
        return decimal(v) + " GiB";
    }

    /** A number in about seven characters. */
    static String number(double v) {
        if (v == 0 || Double.isNaN(v) || Double.isInfinite(v)) {
            return v == 0 ? "0" : Double.toString(v);
        }
        double size = Math.abs(v);
        if (v == Math.rint(v) && size < 1e7) {
            return Long.toString((long) v);
        }
        return size >= 1e-3 && size < 1e6 ? format("%.5g", v) : format("%.3e", v);
    }

    static String percent(double share) {
        return format("%.1f %%", 100 * share);
    }

    /** {@code 1 node}, {@code 2 nodes}. */
    static String count(long n, String noun) {
        return n + " " + noun + (n == 1 ? "" : "s");
    }

    /** The text cut in its middle to at most {@code length} characters. */
    static String shorten(String text, int length) {
        if (text.length() <= length) {
            return text;
        }
        int head = (length - 2) / 2;
        return text.substring(0, head) + ".." + text.substring(text.length() - (length - 2 - head));
    }
}
