package dev.tenon.benchmarks;

import dev.tenon.benchmarks.startup.Startup;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The report for programs. */
final class JsonPage {
    private JsonPage() {}

    static String write(Machine machine, boolean quick, List<Comparison> comparisons, List<Startup.Pair> startups) {
        Map<String, Object> page = new LinkedHashMap<>();
        page.put("machine", machine(machine));
        page.put("quick", quick);
        page.put("benchmarks", comparisons.stream().map(JsonPage::comparison).toList());
        page.put("startup", startups.stream().map(JsonPage::startup).toList());
        StringBuilder out = new StringBuilder();
        value(out, page, "\n");
        return out.append('\n').toString();
    }

    private static Map<String, Object> machine(Machine m) {
        Map<String, Object> o = new LinkedHashMap<>();
        o.put("processor", m.processor());
        o.put("cores", m.cores());
        o.put("memory_bytes", m.memory());
        o.put("system", m.system());
        o.put("load", m.load());
        o.put("jdk", m.jdk());
        o.put("tenon", m.tenon());
        o.put("commit", m.commit());
        return o;
    }

    private static Map<String, Object> comparison(Comparison c) {
        Map<String, Object> o = new LinkedHashMap<>();
        o.put("name", c.tenon().benchmark());
        o.put("parameters", c.tenon().parameters());
        o.put("mode", c.tenon().mode());
        o.put("unit", c.tenon().unit());
        o.put("tenon", figures(c.tenon()));
        if (c.peer() != null) {
            o.put("peer_name", c.peer().benchmark());
            o.put("peer", figures(c.peer()));
            o.put("ratio", c.ratio());
            o.put("processor_ratio", c.processorRatio());
        }
        return o;
    }

    private static Map<String, Object> figures(Measured m) {
        Map<String, Object> o = new LinkedHashMap<>();
        o.put("score", m.score());
        o.put("heap_bytes_per_call", m.allocated());
        o.put("cores_busy", m.cores());
        o.put("rounds", m.rounds().stream().map(Measured.Round::score).toList());
        return o;
    }

    private static Map<String, Object> startup(Startup.Pair p) {
        Map<String, Object> o = new LinkedHashMap<>();
        o.put("model", p.model());
        o.put("tenon", startupFigures(p.tenon()));
        o.put("onnx_runtime", startupFigures(p.onnxRuntime()));
        return o;
    }

    private static Map<String, Object> startupFigures(Startup.Figures f) {
        Map<String, Object> o = new LinkedHashMap<>();
        o.put("open_ms", f.open());
        o.put("process_ms", f.process());
        o.put("peak_mib", f.peak());
        return o;
    }

    private static void value(StringBuilder out, Object v, String indent) {
        String deeper = indent + "  ";
        switch (v) {
            case Map<?, ?> m -> {
                String separator = "{";
                for (Map.Entry<?, ?> e : m.entrySet()) {
                    out.append(separator).append(deeper);
                    text(out, e.getKey().toString());
                    value(out.append(": "), e.getValue(), deeper);
                    separator = ",";
                }
                out.append(m.isEmpty() ? "{}" : indent + "}");
            }
            case List<?> list -> {
                String separator = "[";
                for (Object o : list) {
                    value(out.append(separator).append(deeper), o, deeper);
                    separator = ",";
                }
                out.append(list.isEmpty() ? "[]" : indent + "]");
            }
            case Double d -> out.append(Double.isFinite(d) ? String.format(Locale.ROOT, "%.6g", d) : "null");
            case Number n -> out.append(n);
            case Boolean b -> out.append(b);
            default -> text(out, v.toString());
        }
    }

    private static void text(StringBuilder out, String s) {
        out.append('"');
        for (char c : s.toCharArray()) {
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
