package dev.tenon.cli;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** Durations of runs, in nanoseconds, shortest first. */
record Latency(long[] sorted) {
    static Latency of(long[] nanos) {
        long[] copy = nanos.clone();
        Arrays.sort(copy);
        return new Latency(copy);
    }

    long min() {
        return sorted[0];
    }

    /** The duration that a share of all runs does not exceed (nearest rank). */
    long quantile(double share) {
        return sorted[Math.clamp((long) Math.ceil(share * sorted.length) - 1, 0, sorted.length - 1)];
    }

    long median() {
        return quantile(0.5);
    }

    double mean() {
        return Arrays.stream(sorted).average().orElse(0);
    }

    Map<String, Object> json() {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("runs", sorted.length);
        m.put("min_ms", min() / 1e6);
        m.put("median_ms", median() / 1e6);
        m.put("p90_ms", quantile(0.9) / 1e6);
        m.put("p99_ms", quantile(0.99) / 1e6);
        m.put("mean_ms", mean() / 1e6);
        return m;
    }
}
