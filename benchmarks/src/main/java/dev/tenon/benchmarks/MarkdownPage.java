package dev.tenon.benchmarks;

import dev.tenon.benchmarks.kernels.SmallModel;
import dev.tenon.benchmarks.startup.Startup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report for people. */
final class MarkdownPage {
    private final StringBuilder out = new StringBuilder();

    private MarkdownPage() {}

    static String write(Machine machine, boolean quick, List<Comparison> comparisons, List<Startup.Pair> startups) {
        MarkdownPage page = new MarkdownPage();
        page.machine(machine, quick);
        Map<String, List<Comparison>> groups = new LinkedHashMap<>();
        for (Comparison c : comparisons) {
            String name = c.tenon().benchmark();
            groups.computeIfAbsent(name.substring(0, name.indexOf('.')), k -> new ArrayList<>())
                    .add(c);
        }
        groups.forEach(page::group);
        page.startups(startups);
        return page.out.toString();
    }

    private void machine(Machine m, boolean quick) {
        line("# Tenon %s, commit %s", m.tenon(), m.commit());
        line("");
        line(
                "%s, %d cores, %.0f GiB; %s; %s; load average %.1f before the first benchmark.%s",
                m.processor(),
                m.cores(),
                m.memory() / (double) (1 << 30),
                m.system(),
                m.jdk(),
                m.load(),
                quick ? " Quick run: one round, short iterations." : "");
        line("");
        line("The ratio says how many times faster Tenon is: above 1 it is faster. The processor ratio is that of"
                + " the processor");
        line("time of a call on all cores: where other programs ran, trust it more. It includes threads that wait"
                + " busily.");
    }

    private void group(String name, List<Comparison> comparisons) {
        boolean kernels =
                comparisons.stream().anyMatch(c -> c.tenon().parameters().containsKey("kernel"));
        line("");
        line("## %s", name);
        line("");
        if (kernels) {
            line("Work is in relation to the nearer of the two limits measured here. It exceeds them where data"
                    + " stays in a");
            line("cache or where an algorithm needs fewer operations than the direct one, as for the convolution.");
            line("");
        }
        line(
                "| | Tenon | peer | unit | ratio | processor ratio | cores busy | peer's | heap B/op |%s",
                kernels ? " work |" : "");
        line("|---|---:|---:|---|---:|---:|---:|---:|---:|%s", kernels ? "---|" : "");
        for (Comparison c : comparisons) {
            Measured t = c.tenon();
            line(
                    "| %s%s | %s | %s | %s | %s | %s | %.2f | %s | %.0f |%s",
                    t.benchmark().substring(name.length() + 1),
                    t.parameters().isEmpty()
                            ? ""
                            : " " + String.join(" ", t.parameters().values()),
                    number(t.score()),
                    c.peer() == null ? "" : number(c.peer().score()),
                    t.unit(),
                    c.peer() == null ? "" : "%.2f".formatted(c.ratio()),
                    c.peer() == null ? "" : "%.2f".formatted(c.processorRatio()),
                    t.cores(),
                    c.peer() == null ? "" : "%.2f".formatted(c.peer().cores()),
                    t.allocated(),
                    kernels ? " " + work(t, comparisons) + " |" : "");
        }
    }

    /** The work per time, and its share of the nearer limit of the two that the same run measured. */
    private static String work(Measured m, List<Comparison> all) {
        SmallModel kernel = SmallModel.valueOf(m.parameters().get("kernel"));
        double gflops = kernel.flops / m.score() / 1e3;
        double gbytes = kernel.bytes / m.score() / 1e3;
        double arithmetic = limit(SmallModel.LIMIT_ARITHMETIC, all);
        double memory = limit(SmallModel.LIMIT_MEMORY, all);
        String work = "%.1f GFLOP/s, %.1f GB/s".formatted(gflops, gbytes);
        double share = Math.max(gflops / arithmetic, gbytes / memory);
        return Double.isNaN(share) ? work : work + ", %.0f %%".formatted(100 * share);
    }

    /** What one of the limits came to in this run, in work per nanosecond; NaN if it was not measured. */
    private static double limit(SmallModel limit, List<Comparison> all) {
        double work = limit == SmallModel.LIMIT_ARITHMETIC ? limit.flops : limit.bytes;
        return all.stream()
                .map(Comparison::tenon)
                .filter(m -> limit.name().equals(m.parameters().get("kernel")))
                .mapToDouble(m -> work / m.score() / 1e3)
                .findFirst()
                .orElse(Double.NaN);
    }

    private void startups(List<Startup.Pair> pairs) {
        if (pairs.isEmpty()) {
            return;
        }
        line("");
        line("## Startup");
        line("");
        line("Fresh processes, one thread: from opening the file to the first result, the whole process, its peak"
                + " memory.");
        line("");
        line("| | open ms | peer | process ms | peer | ratio | peak MiB | peer |");
        line("|---|---:|---:|---:|---:|---:|---:|---:|");
        for (Startup.Pair p : pairs) {
            line(
                    "| %s | %.0f | %.0f | %.0f | %.0f | %.2f | %.0f | %.0f |",
                    p.model(),
                    p.tenon().open(),
                    p.onnxRuntime().open(),
                    p.tenon().process(),
                    p.onnxRuntime().process(),
                    p.onnxRuntime().open() / p.tenon().open(),
                    p.tenon().peak(),
                    p.onnxRuntime().peak());
        }
    }

    private static String number(double v) {
        return String.format(Locale.ROOT, v < 10 ? "%.3f" : v < 1000 ? "%.1f" : "%.0f", v);
    }

    private void line(String format, Object... values) {
        out.append(String.format(Locale.ROOT, format, values)).append('\n');
    }
}
