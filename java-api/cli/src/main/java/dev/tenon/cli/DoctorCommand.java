package dev.tenon.cli;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tenon;
import dev.tenon.TenonException;
import dev.tenon.internal.engine.Lanes;
import dev.tenon.internal.ffi.NativeFailure;
import dev.tenon.internal.ffi.NativeLibrary;
import dev.tenon.internal.ffi.NativeStruct;
import dev.tenon.internal.ffi.TenonH;
import dev.tenon.internal.ffi.TenonStructs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;

/** {@code tenon doctor}: what this machine offers and what is missing. */
@Command(
        name = "doctor",
        description =
                "Shows processor, threads, memory, libraries and GPUs, and how to get what is missing. Exit code 0 if"
                        + " the CPU engine works.")
final class DoctorCommand extends CliCommand {
    private static final List<String> FEATURES = List.of(
            "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_tile");

    /** @param state ok, missing or wrong */
    private record Finding(String topic, String state, String text) {}

    private final List<Finding> findings = new ArrayList<>();

    @Override
    public Integer call() throws IOException {
        ok("tenon", Tenon.version());
        ok(
                "java",
                System.getProperty("java.vm.name") + " " + Runtime.version() + ", heap up to "
                        + Text.bytes(Runtime.getRuntime().maxMemory()) + " (" + System.getProperty("java.home") + ")");
        processor();
        threads();
        memory();
        boolean loaded = nativeLibrary();
        cache();
        boolean works = loaded && engine();
        gpus();
        report(works);
        return works ? DONE : ANSWER_IS_NO;
    }

    private void ok(String topic, String text) {
        findings.add(new Finding(topic, "ok", text));
    }

    private void missing(String topic, String text) {
        findings.add(new Finding(topic, "missing", text));
    }

    private void wrong(String topic, String text) {
        findings.add(new Finding(topic, "wrong", text));
    }

    private void processor() {
        String model = "unknown";
        List<String> flags = List.of();
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            for (String line : (Iterable<String>) lines.limit(60)::iterator) {
                String value = line.substring(line.indexOf(':') + 1).strip();
                if (line.startsWith("model name")) {
                    model = value;
                } else if (line.startsWith("flags")) {
                    flags = Arrays.asList(value.split(" "));
                    break;
                }
            }
        } catch (IOException e) {
            model = "unknown (" + Failures.message(e) + ")";
        }
        ok("cpu", model + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        ok("features", FEATURES.stream().filter(flags::contains).collect(Collectors.joining(" ")));
    }

    private void threads() {
        String allowed = "";
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("Cpus_allowed_list:")) {
                    allowed = line.substring(line.indexOf(':') + 1).strip();
                }
            }
        } catch (IOException e) {
            allowed = "unknown";
        }
        ok("threads", Lanes.cores() + " used; may run on processors " + allowed + "; quota " + quota());
    }

    private static String quota() {
        String v2 = firstLine(Path.of("/sys/fs/cgroup/cpu.max"));
        if (!v2.isEmpty()) {
            String[] parts = v2.split(" ");
            return parts[0].equals("max") || parts.length < 2
                    ? "none"
                    : Text.format("%.2f cores", Double.parseDouble(parts[0]) / Double.parseDouble(parts[1]));
        }
        String micros = firstLine(Path.of("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"));
        String period = firstLine(Path.of("/sys/fs/cgroup/cpu/cpu.cfs_period_us"));
        return micros.isEmpty() || micros.startsWith("-") || period.isEmpty()
                ? "none"
                : Text.format("%.2f cores", Double.parseDouble(micros) / Double.parseDouble(period));
    }

    private static String firstLine(Path file) {
        try {
            List<String> lines = Files.readAllLines(file);
            return lines.isEmpty() ? "" : lines.getFirst().strip();
        } catch (IOException e) {
            return "";
        }
    }

    private void memory() {
        Path meminfo = Path.of("/proc/meminfo");
        String limit = firstLine(Path.of("/sys/fs/cgroup/memory.max"));
        ok(
                "memory",
                Text.bytes(ProcessMemory.kilobytes(meminfo, "MemAvailable:")) + " free of "
                        + Text.bytes(ProcessMemory.kilobytes(meminfo, "MemTotal:"))
                        + (limit.isEmpty() || limit.equals("max")
                                ? ", no limit of the container"
                                : ", limit of the container " + Text.bytes(Long.parseLong(limit))));
        String transparent = firstLine(Path.of("/sys/kernel/mm/transparent_hugepage/enabled"));
        String chosen = transparent.replaceAll(".*\\[(\\w+)].*", "$1");
        if (chosen.equals("always") || chosen.equals("madvise")) {
            ok("huge pages", "transparent huge pages: " + chosen);
        } else {
            missing(
                    "huge pages",
                    "transparent huge pages: " + (chosen.isEmpty() ? "not there" : chosen)
                            + "; large models run somewhat slower. To turn them on: echo madvise | sudo tee"
                            + " /sys/kernel/mm/transparent_hugepage/enabled");
        }
    }

    private boolean nativeLibrary() {
        if (!(NativeLibrary.status() instanceof NativeLibrary.Loaded library)) {
            wrong("native library", NativeLibrary.status().message());
            return false;
        }
        ok("native library", library.file() + ", ABI " + TenonH.abiVersion());
        ok("build", TenonH.buildInfo());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment error = TenonH.newError(arena);
            NativeStruct info = NativeStruct.allocate(arena, TenonStructs.CPU_INFO);
            NativeFailure.check(TenonH.cpuQuery(info.segment(), error), error);
            ok(
                    "kernels",
                    isa(info.getLong("selected_isa")) + " selected, " + isa(info.getLong("best_isa"))
                            + " is the best here (TENON_MAX_ISA lowers it); caches of a core: L2 "
                            + Text.bytes(info.getLong("l2_bytes")) + ", L3 " + Text.bytes(info.getLong("l3_bytes")));
        }
        return true;
    }

    private static String isa(long isa) {
        return switch ((int) isa) {
            case 0 -> "scalar";
            case 1 -> "avx2";
            case 2 -> "avx512";
            default -> "ISA " + isa;
        };
    }

    private void cache() {
        Path folder = NativeLibrary.cacheFolder();
        Path existing = folder;
        while (existing != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        if (existing != null && Files.isWritable(existing)) {
            ok("cache", folder.toString());
        } else {
            missing(
                    "cache",
                    folder + " cannot be written, so native libraries in jars cannot be unpacked; name another folder"
                            + " with -Dtenon.cache=DIR");
        }
    }

    /** Runs a small built-in model and checks its result. */
    private boolean engine() throws IOException {
        Path file = Files.createTempFile("tenon-doctor", ".onnx");
        try {
            Files.write(file, OnnxBytes.layer(new float[][] {{1, -1}, {2, 0.5f}, {-3, 4}}, new float[] {0.5f, -1}));
            long start = System.nanoTime();
            try (Engine engine = Engine.load(file);
                    Session session = engine.newSession()) {
                session.input("x", 2, 3).copyFrom(new float[] {1, 2, 3, -1, 0.5f, 0});
                session.run();
                float[] result = session.output("y").toFloatArray();
                float[] expected = {0, 11, 0.5f, 0.25f};
                if (!Arrays.equals(result, expected)) {
                    wrong(
                            "cpu engine",
                            "computes " + Arrays.toString(result) + " instead of " + Arrays.toString(expected)
                                    + " for a built-in model");
                    return false;
                }
                ok("cpu engine", "runs a built-in model correctly, in " + Text.time(System.nanoTime() - start));
                return true;
            }
        } catch (TenonException e) {
            wrong("cpu engine", e.getMessage());
            return false;
        } finally {
            Files.delete(file);
        }
    }

    private void gpus() {
        String driver = firstLine(Path.of("/proc/driver/nvidia/version"));
        if (driver.isEmpty()) {
            missing("gpu", "no NVIDIA GPU driver is loaded; tenon runs on the CPU");
        } else {
            ok("gpu", driver);
        }
        boolean anyMissing = false;
        for (GpuLibraries.Library l : GpuLibraries.find()) {
            if (l.found().isEmpty()) {
                missing(l.purpose(), l.name() + "; to use it, " + l.how());
                anyMissing = true;
            } else {
                ok(l.purpose(), l.found());
            }
        }
        if (anyMissing) {
            ok(
                    "looked in",
                    GpuLibraries.folders().stream().map(Path::toString).collect(Collectors.joining(":"))
                            + " (LD_LIBRARY_PATH adds to it)");
        }
    }

    private void report(boolean works) {
        if (json) {
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("works", works);
            m.put("findings", findings.stream().map(DoctorCommand::json).toList());
            printJson(m);
            return;
        }
        Table table = new Table("", "", "");
        findings.forEach(f ->
                table.row(f.state.equals("ok") ? "ok" : f.state.toUpperCase(java.util.Locale.ROOT), f.topic, f.text));
        table.printRows(out());
        out().println(works ? "The CPU engine works." : "The CPU engine does not work.");
        out().flush();
    }

    private static Map<String, Object> json(Finding f) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("topic", f.topic);
        m.put("state", f.state);
        m.put("text", f.text);
        return m;
    }
}
