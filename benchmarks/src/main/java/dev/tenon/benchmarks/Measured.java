package dev.tenon.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The figures of one benchmark method with one set of parameters, over the rounds. */
final class Measured {
    /** What one round gave. */
    record Round(double score, double allocated, double cores) {}

    private final String benchmark;
    private final Map<String, String> parameters;
    private final String mode;
    private final String unit;
    private final List<Round> rounds = new ArrayList<>();

    Measured(String benchmark, Map<String, String> parameters, String mode, String unit) {
        this.benchmark = benchmark;
        this.parameters = parameters;
        this.mode = mode;
        this.unit = unit;
    }

    /** The class and method, without the package. */
    String benchmark() {
        return benchmark;
    }

    Map<String, String> parameters() {
        return parameters;
    }

    String mode() {
        return mode;
    }

    String unit() {
        return unit;
    }

    List<Round> rounds() {
        return rounds;
    }

    /** True if more is better. */
    boolean throughput() {
        return unit.startsWith("ops");
    }

    /** The median of the rounds. */
    double score() {
        return median(rounds.stream().mapToDouble(Round::score).toArray());
    }

    /** Bytes allocated on the Java heap by one call. */
    double allocated() {
        return median(rounds.stream().mapToDouble(Round::allocated).toArray());
    }

    /** Cores that the process kept busy. */
    double cores() {
        return median(rounds.stream().mapToDouble(Round::cores).toArray());
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        java.util.Arrays.sort(sorted);
        int n = sorted.length;
        return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    }
}
