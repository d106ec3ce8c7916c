package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tenon;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.spi.StepInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tenon bench}: measures latency, throughput and memory of a model. */
@Command(
        name = "bench",
        description = "Measures latency, throughput and memory. Inputs without a file get random values.")
final class BenchCommand extends CliCommand {
    @Parameters(paramLabel = "MODEL", description = "An .onnx model or a .tenon engine.")
    Path model;

    @Mixin
    EngineOptions options;

    @Mixin
    InputOptions inputs;

    @Option(names = "--seconds", paramLabel = "S", description = "How long to measure; by default 3.")
    double seconds = 3;

    @Option(
            names = "--sessions",
            paramLabel = "K",
            description = "Java threads that run at the same time, each with its own session; by default 1.")
    int sessions = 1;

    @Option(
            names = "--profile",
            description = "Show the time, GFLOP/s and GB/s of each step, and its share of the machine's limit.")
    boolean profile;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description = "Write a trace of one run that Perfetto and Chrome open.")
    @Nullable
    Path trace;

    /** @param nanos the duration of each run of all sessions @param elapsedNanos from the first run's start to the last one's end */
    private record Measured(Latency latency, long elapsedNanos) {
        double perSecond() {
            return latency.sorted().length * 1e9 / elapsedNanos;
        }
    }

    @Override
    public Integer call() throws IOException {
        if (!(seconds > 0) || seconds > 86_400) {
            throw new CliException("--seconds " + seconds + ": expected more than 0 and at most a day");
        }
        if (sessions < 1 || sessions > 1024) {
            throw new CliException("--sessions " + sessions + ": expected 1 to 1024");
        }
        long start = System.nanoTime();
        Engine engine;
        try (Progress progress = Progress.quiet("Building")) {
            engine = options.open(model, progress);
        }
        long opened = System.nanoTime() - start;
        try (engine;
                MemoryScope scope = MemoryScope.shared("inputs of the command line")) {
            Map<String, Datum> values = inputs.read(engine, options.dims, true, scope);
            List<Session> open = new ArrayList<>();
            try {
                for (int i = 0; i < sessions; i++) {
                    Session s = engine.newSession();
                    open.add(s);
                    values.forEach(s::bind);
                    s.prepare();
                }
                Measured measured = measure(open);
                long peak = ProcessMemory.peakBytes();
                StepProfile steps = profile || trace != null
                        ? StepProfile.measure(open.getFirst(), (long) (seconds * 5e8), 1000)
                        : null;
                if (trace != null && steps != null) {
                    Trace.write(trace, model.getFileName().toString(), steps);
                }
                report(engine, values, opened, measured, peak, profile ? steps : null);
            } finally {
                open.forEach(Session::close);
            }
        }
        return DONE;
    }

    private Measured measure(List<Session> open) {
        long budget = (long) (seconds * 1e9);
        CountDownLatch ready = new CountDownLatch(open.size());
        CountDownLatch go = new CountDownLatch(1);
        try (ExecutorService pool = Executors.newFixedThreadPool(open.size());
                Progress progress = Progress.quiet("Measuring")) {
            List<Future<long[]>> results = new ArrayList<>();
            for (Session s : open) {
                results.add(pool.submit(() -> {
                    warmUp(s, budget / 5);
                    ready.countDown();
                    go.await();
                    return runs(s, budget);
                }));
            }
            // A warm-up that fails counts nothing down; its future tells why.
            while (ready.getCount() > 0 && results.stream().noneMatch(f -> f.state() == Future.State.FAILED)) {
                Thread.sleep(1);
            }
            long start = System.nanoTime();
            go.countDown();
            while (!results.stream().allMatch(Future::isDone)) {
                long done = Math.min(budget, System.nanoTime() - start);
                progress.progress("seconds/10", (int) (done / 100_000_000), (int) (budget / 100_000_000));
                Thread.sleep(20);
            }
            long[] all = new long[0];
            long end = start;
            for (Future<long[]> f : results) {
                long[] r = f.get();
                int at = all.length;
                all = Arrays.copyOf(all, at + r.length - 1);
                System.arraycopy(r, 1, all, at, r.length - 1);
                end = Math.max(end, r[0]);
            }
            return new Measured(Latency.of(all), end - start);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException r) {
                throw r;
            }
            throw new CliException("a run failed: " + e.getCause(), e);
        } finally {
            go.countDown();
        }
    }

    private static void warmUp(Session s, long budgetNanos) {
        long start = System.nanoTime();
        int n = 0;
        while (n < 3 || System.nanoTime() - start < budgetNanos) {
            s.run();
            n++;
        }
    }

    /** The time at the end, then what each run took. */
    private static long[] runs(Session s, long budgetNanos) {
        long[] nanos = new long[1024];
        int n = 1;
        long start = System.nanoTime();
        long now = start;
        while (n == 1 || now - start < budgetNanos) {
            if (n == nanos.length) {
                nanos = Arrays.copyOf(nanos, 2 * n);
            }
            s.run();
            long end = System.nanoTime();
            nanos[n++] = end - now;
            now = end;
        }
        nanos[0] = now;
        return Arrays.copyOf(nanos, n);
    }

    private void report(
            Engine engine,
            Map<String, Datum> values,
            long opened,
            Measured measured,
            long peak,
            @Nullable StepProfile steps)
            throws IOException {
        int threads = engine.model().options().threads;
        MachineLimits limits = steps == null ? null : MachineLimits.measure(threads);
        if (json) {
            printJson(json(values, opened, measured, peak, threads, steps, limits));
            return;
        }
        PrintWriter out = out();
        values.forEach((name, d) -> out.println("input       " + name + "  " + TensorText.type(d)));
        out.println("threads     " + threads + " a run, " + Text.count(sessions, "session"));
        Latency l = measured.latency;
        out.println("latency     min " + Text.time(l.min()) + "  median " + Text.time(l.median()) + "  p90 "
                + Text.time(l.quantile(0.9)) + "  p99 " + Text.time(l.quantile(0.99)) + "  (" + l.sorted().length
                + " runs)");
        out.println("throughput  " + Text.format("%.1f", measured.perSecond()) + " runs/s");
        out.println("memory      peak " + Text.bytes(Tenon.memory().peakBytes())
                + " in Tenon's allocator; the whole process, JVM and mapped files included, " + Text.bytes(peak));
        out.println("opened in   " + Text.time(opened));
        if (steps != null && limits != null) {
            out.println("limit       " + limits.text());
            out.println("            a step whose data stay in a cache can exceed what memory gives");
            printSteps(steps, limits);
        }
        if (trace != null) {
            out.println("trace       " + trace + " (open it in https://ui.perfetto.dev)");
        }
        out.flush();
    }

    private void printSteps(StepProfile steps, MachineLimits limits) {
        out().println("steps       median of " + steps.runs() + " timed runs");
        Table table = new Table(
                "kind", "name", "implementation", "layouts", ">time", ">share", ">GFLOP/s", ">GB/s", ">of limit");
        double total = steps.totalNanos();
        for (StepProfile.Step s : steps.steps()) {
            StepInfo i = s.info();
            long bytes = i.bytesRead() + i.bytesWritten();
            table.row(
                    i.kind(),
                    Text.shorten(i.name(), 40),
                    i.implementation(),
                    i.layouts(),
                    Text.time(s.nanos()),
                    Text.percent(s.nanos() / total),
                    i.flops() == 0 ? "" : Text.format("%.1f", i.flops() / s.nanos()),
                    bytes == 0 ? "" : Text.format("%.1f", bytes / s.nanos()),
                    bytes + i.flops() == 0 ? "" : Text.percent(limits.share(i.flops(), bytes, s.nanos())));
        }
        table.print(out(), "  ");
        long flops = steps.steps().stream().mapToLong(s -> s.info().flops()).sum();
        out().println(Text.format("  all steps: %s, %.1f GFLOP/s", Text.time(total), flops / total));
    }

    private Map<String, Object> json(
            Map<String, Datum> values,
            long opened,
            Measured measured,
            long peak,
            int threads,
            @Nullable StepProfile steps,
            @Nullable MachineLimits limits) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("model", model.toString());
        Map<String, Object> in = new LinkedHashMap<>();
        values.forEach((name, d) -> in.put(name, TensorText.type(d)));
        m.put("inputs", in);
        m.put("threads", threads);
        m.put("sessions", sessions);
        m.put("latency", measured.latency.json());
        m.put("runs_per_second", measured.perSecond());
        m.put("open_ms", opened / 1e6);
        m.put("allocator_peak_bytes", Tenon.memory().peakBytes());
        m.put("process_peak_bytes", peak);
        if (steps != null && limits != null) {
            m.put("limits", limits.json());
            m.put("steps", steps.steps().stream().map(s -> stepJson(s, limits)).toList());
        }
        return m;
    }

    private static Map<String, Object> stepJson(StepProfile.Step s, MachineLimits limits) {
        Map<String, Object> m = RunCommand.stepJson(s);
        long bytes = s.info().bytesRead() + s.info().bytesWritten();
        m.put("gflops", s.info().flops() / s.nanos());
        m.put("gbytes_per_second", bytes / s.nanos());
        m.put("share_of_limit", limits.share(s.info().flops(), bytes, s.nanos()));
        return m;
    }
}
