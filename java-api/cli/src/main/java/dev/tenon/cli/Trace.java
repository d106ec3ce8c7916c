package dev.tenon.cli;

import dev.tenon.internal.engine.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Trace files in Chrome's JSON format, which Perfetto opens too. */
final class Trace {
    private Trace() {}

    /** Writes the last run of a profile: one slice for each step, one after the other, and one around them all. */
    static void write(Path file, String model, StepProfile profile) throws IOException {
        List<Object> events = new ArrayList<>();
        events.add(Map.of("ph", "M", "pid", 1, "name", "process_name", "args", Map.of("name", "tenon " + model)));
        events.add(Map.of("ph", "M", "pid", 1, "tid", 1, "name", "thread_name", "args", Map.of("name", "steps")));
        double at = 0;
        double total = profile.last().stream().mapToLong(Long::longValue).sum() / 1e3;
        events.add(slice("run", "run", 0, total, Map.of("steps", profile.steps().size())));
        for (int i = 0; i < profile.steps().size(); i++) {
            StepProfile.Step s = profile.steps().get(i);
            double micros = profile.last().get(i) / 1e3;
            Map<String, Object> details = RunCommand.stepJson(s.info());
            events.add(slice(s.info().kind() + " " + s.info().name(), s.info().kind(), at, micros, details));
            at += micros;
        }
        Map<String, Object> trace = new LinkedHashMap<>();
        trace.put("displayTimeUnit", "ns");
        trace.put("traceEvents", events);
        Files.writeString(file, Json.write(trace));
    }

    private static Map<String, Object> slice(
            String name, String category, double startMicros, double micros, Map<String, Object> details) {
        Map<String, Object> e = new LinkedHashMap<>();
        e.put("ph", "X");
        e.put("pid", 1);
        e.put("tid", 1);
        e.put("name", name);
        e.put("cat", category);
        e.put("ts", startMicros);
        e.put("dur", micros);
        e.put("args", details);
        return e;
    }
}
