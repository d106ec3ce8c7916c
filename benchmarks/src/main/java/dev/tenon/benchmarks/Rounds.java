package dev.tenon.benchmarks;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs JMH benchmarks in rounds. In a round the methods that are to be compared run one after the other with the same
 * parameters, each in a process of its own, and the next round turns their order: whatever else the machine does then meets
 * both sides.
 */
final class Rounds {
    private final boolean quick;
    private final int rounds;
    private final PrintStream log;
    private final Map<String, Measured> figures = new LinkedHashMap<>();

    Rounds(boolean quick, PrintStream log) {
        this.quick = quick;
        this.rounds = quick ? 1 : 3;
        this.log = log;
    }

    /** Runs the benchmarks whose name and parameters together match; null matches all. */
    List<Measured> run(String pattern) throws RunnerException {
        Pattern wanted = Pattern.compile(pattern == null ? "" : pattern);
        for (List<BenchmarkListEntry> methods : byClass().values()) {
            for (Map<String, String> parameters : combinations(methods.getFirst())) {
                List<BenchmarkListEntry> chosen = methods.stream()
                        .filter(m ->
                                wanted.matcher(shortName(m) + " " + parameters).find())
                        .toList();
                for (int round = 0; round < rounds; round++) {
                    for (BenchmarkListEntry m : round % 2 == 0 ? chosen : chosen.reversed()) {
                        measure(m, parameters);
                    }
                }
            }
        }
        return List.copyOf(figures.values());
    }

    private static Map<String, List<BenchmarkListEntry>> byClass() {
        Set<BenchmarkListEntry> all = BenchmarkList.defaultList()
                .getAll(OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT), List.of());
        Map<String, List<BenchmarkListEntry>> classes = new TreeMap<>();
        for (BenchmarkListEntry e : all) {
            classes.computeIfAbsent(e.getUserClassQName(), c -> new ArrayList<>())
                    .add(e);
        }
        return classes;
    }

    /** Every combination of the parameters' values, in the order they are written. */
    private static List<Map<String, String>> combinations(BenchmarkListEntry e) {
        List<Map<String, String>> all = List.of(Map.of());
        for (Map.Entry<String, String[]> p : e.getParams().orElse(Map.of()).entrySet()) {
            List<Map<String, String>> longer = new ArrayList<>();
            for (Map<String, String> begun : all) {
                for (String value : p.getValue()) {
                    Map<String, String> m = new LinkedHashMap<>(begun);
                    m.put(p.getKey(), value);
                    longer.add(m);
                }
            }
            all = longer;
        }
        return all;
    }

    private static String shortName(BenchmarkListEntry e) {
        String name = e.getUsername();
        return name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1);
    }

    private void measure(BenchmarkListEntry entry, Map<String, String> parameters) throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("^" + Pattern.quote(entry.getUsername()) + "$")
                .verbosity(VerboseMode.SILENT)
                .shouldFailOnError(true)
                .addProfiler(GCProfiler.class)
                .addProfiler(CpuProfiler.class);
        parameters.forEach(options::param);
        if (quick) {
            options.warmupIterations(2)
                    .warmupTime(TimeValue.milliseconds(500))
                    .measurementIterations(2)
                    .measurementTime(TimeValue.seconds(1));
        }
        // The new process gets this one's JVM options.
        RunResult result = new Runner(options.build()).runSingle();
        Result<?> primary = result.getPrimaryResult();
        Measured m = figures.computeIfAbsent(
                shortName(entry) + " " + parameters,
                k -> new Measured(
                        shortName(entry),
                        parameters,
                        result.getParams().getMode().shortLabel(),
                        primary.getScoreUnit()));
        m.rounds()
                .add(new Measured.Round(
                        primary.getScore(),
                        secondary(result, "gc.alloc.rate.norm"),
                        secondary(result, CpuProfiler.LABEL)));
        log.printf("%-34s %-38s %12.3f %s%n", m.benchmark(), parameters, primary.getScore(), primary.getScoreUnit());
    }

    private static double secondary(RunResult result, String label) {
        var found = result.getSecondaryResults().get(label);
        return found == null ? Double.NaN : found.getScore();
    }
}
