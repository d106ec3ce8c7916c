package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.spi.StepInfo;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tenon run}: runs a model on given inputs and shows the outputs. */
@Command(name = "run", description = "Runs a model on inputs from files and shows its outputs.")
final class RunCommand extends CliCommand {
    private static final int SHORT_LIST = 10;
    private static final int MAX_WARM_RUNS = 50;
    private static final long WARM_NANOS = 40_000_000;

    @Parameters(paramLabel = "MODEL", description = "An .onnx model or a .tenon engine.")
    Path model;

    @Mixin
    EngineOptions options;

    @Mixin
    InputOptions inputs;

    @Option(names = "--output", paramLabel = "DIR", description = "Write each output to this folder, as .npy.")
    @Nullable
    Path output;

    @Option(
            names = "--top",
            paramLabel = "N",
            description = "Show the N highest scores of each row, with their labels.")
    int top;

    @Option(
            names = "--labels",
            paramLabel = "FILE",
            description = "Class names, one a line or a JSON array; by default the model's metadata 'labels'.")
    @Nullable
    Path labelFile;

    @Option(names = "--layers", description = "Show all steps of the engine, not only the slowest.")
    boolean allLayers;

    private record Times(long openNanos, long firstNanos, Latency warm) {}

    @Override
    public Integer call() throws IOException {
        if (top < 0) {
            throw new CliException("--top " + top + ": a positive number was expected");
        }
        long start = System.nanoTime();
        Engine engine;
        try (Progress progress = Progress.quiet("Building")) {
            engine = options.open(model, progress);
        }
        long opened = System.nanoTime() - start;
        try (engine;
                MemoryScope scope = MemoryScope.shared("inputs of the command line");
                Session session = engine.newSession()) {
            Labels labels = Labels.of(labelFile, engine.metadata());
            Map<String, Datum> values = inputs.read(engine, options.dims, false, scope);
            values.forEach(session::bind);
            long begun = System.nanoTime();
            session.run();
            long first = System.nanoTime() - begun;
            if (output != null) {
                writeOutputs(engine, session, output);
            }
            Times times = new Times(opened, first, warmRuns(session, first));
            StepProfile profile = StepProfile.measure(session, WARM_NANOS, MAX_WARM_RUNS);
            if (json) {
                printJson(report(engine, session, labels, times, profile));
            } else {
                print(engine, session, labels, times, profile);
            }
        }
        return DONE;
    }

    /** A few more runs, for as long as nobody notices; slow models run once more. */
    private static Latency warmRuns(Session session, long firstNanos) {
        List<Long> nanos = new ArrayList<>();
        for (long spent = 0; nanos.isEmpty() || spent < WARM_NANOS && nanos.size() < MAX_WARM_RUNS; ) {
            long begun = System.nanoTime();
            session.run();
            nanos.add(System.nanoTime() - begun);
            spent += nanos.getLast();
        }
        return Latency.of(nanos.stream().mapToLong(Long::longValue).toArray());
    }

    private static void writeOutputs(Engine engine, Session session, Path folder) throws IOException {
        Files.createDirectories(folder);
        for (TensorInfo o : engine.outputs()) {
            if (!(session.outputDatum(o.name()) instanceof Tensor t)) {
                throw new CliException("output '" + o.name() + "' is not a tensor and cannot be written as .npy");
            }
            NpyFile.write(folder.resolve(fileName(o.name())), t);
        }
    }

    /** A name that stays in its folder, whatever the model calls its output. */
    static String fileName(String name) {
        String safe = name.replaceAll("[^A-Za-z0-9._-]", "_");
        return (safe.startsWith(".") ? "_" + safe : safe) + ".npy";
    }

    private void print(Engine engine, Session session, Labels labels, Times times, StepProfile profile) {
        PrintWriter out = out();
        out.println("outputs");
        for (TensorInfo o : engine.outputs()) {
            Datum d = session.outputDatum(o.name());
            out.println("  " + o.name() + "  " + TensorText.type(d));
            TensorText.lines(d).forEach(line -> out.println("    " + line));
        }
        if (top > 0) {
            printTop(engine, session, labels);
        }
        out.println("latency");
        out.println("  first run " + Text.time(times.firstNanos) + ", then " + Text.time(times.warm.median())
                + " (median of " + times.warm.sorted().length + "); model opened in " + Text.time(times.openNanos));
        printLayers(profile);
        out.flush();
    }

    private void printTop(Engine engine, Session session, Labels labels) {
        for (TensorInfo o : engine.outputs()) {
            List<List<Labels.Ranked>> rows =
                    session.outputDatum(o.name()) instanceof Tensor t ? labels.top(t, top) : List.of();
            for (int row = 0; row < rows.size(); row++) {
                out().println("top " + top + " of " + o.name() + (rows.size() == 1 ? "" : ", row " + row));
                Table table = new Table(">class", "label", ">score");
                rows.get(row).forEach(r -> table.row(r.index(), r.label(), Text.format("%.6f", r.score())));
                table.print(out(), "  ");
            }
        }
    }

    private void printLayers(StepProfile profile) {
        int n = profile.steps().size();
        List<StepProfile.Step> shown = allLayers || n <= SHORT_LIST ? profile.steps() : profile.slowest(SHORT_LIST);
        out().println("layers (" + Text.count(n, "step")
                + (shown.size() < n ? ", the slowest " + shown.size() + "; --layers shows all" : "") + ")");
        Table table = new Table("kind", "name", "implementation", ">time", ">share");
        double total = profile.totalNanos();
        for (StepProfile.Step s : shown) {
            table.row(
                    s.info().kind(),
                    Text.shorten(s.info().name(), 44),
                    s.info().implementation(),
                    Text.time(s.nanos()),
                    Text.percent(total == 0 ? 0 : s.nanos() / total));
        }
        table.print(out(), "  ");
    }

    private Map<String, Object> report(
            Engine engine, Session session, Labels labels, Times times, StepProfile profile) {
        Map<String, Object> outputs = new LinkedHashMap<>();
        for (TensorInfo o : engine.outputs()) {
            Datum d = session.outputDatum(o.name());
            Map<String, Object> m = TensorText.json(d);
            if (top > 0 && d instanceof Tensor t) {
                m.put("top", topJson(labels.top(t, top)));
            }
            outputs.put(o.name(), m);
        }
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("model", model.toString());
        m.put("outputs", outputs);
        m.put("open_ms", times.openNanos / 1e6);
        m.put("first_ms", times.firstNanos / 1e6);
        m.put("median_ms", times.warm.median() / 1e6);
        m.put("steps", profile.steps().stream().map(RunCommand::stepJson).toList());
        return m;
    }

    private static List<Object> topJson(List<List<Labels.Ranked>> rows) {
        List<Object> out = new ArrayList<>();
        for (List<Labels.Ranked> row : rows) {
            List<Object> ranked = new ArrayList<>();
            for (Labels.Ranked r : row) {
                Map<String, Object> m = new LinkedHashMap<>();
                m.put("class", r.index());
                m.put("label", r.label());
                m.put("score", r.score());
                ranked.add(m);
            }
            out.add(ranked);
        }
        return out;
    }

    static Map<String, Object> stepJson(StepProfile.Step s) {
        Map<String, Object> m = stepJson(s.info());
        m.put("ms", s.nanos() / 1e6);
        return m;
    }

    static Map<String, Object> stepJson(StepInfo s) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("kind", s.kind());
        m.put("name", s.name());
        m.put("implementation", s.implementation());
        m.put("layouts", s.layouts());
        m.put("flops", s.flops());
        m.put("bytes_read", s.bytesRead());
        m.put("bytes_written", s.bytesWritten());
        m.put("threads", s.threads());
        return m;
    }
}
