package dev.tenon.benchmarks.startup;

import dev.tenon.benchmarks.models.Zoo;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How long is it from nothing to a first result, and how much memory does it take? Each figure is the median of fresh
 * processes, which take turns: an engine file opened by Tenon, a model file by ONNX Runtime.
 */
public final class Startup {
    private static final int RUNS_BEFORE_PEAK = 5;

    private Startup() {}

    /**
     * One side of one model. Times in milliseconds, memory in MiB.
     *
     * @param open from before the file is opened until the first result is there
     * @param process from starting the process until its end
     * @param peak the most memory of the process (VmHWM), mapped files included; negative if the system does not tell
     */
    public record Figures(double open, double process, double peak) {}

    /** Both sides of one model. */
    public record Pair(String model, Figures tenon, Figures onnxRuntime) {}

    /** Measures a model with this many processes on each side. */
    public static Pair measure(String model, int processes) throws IOException, InterruptedException {
        Path onnx = Zoo.file(model);
        Path folder = Files.createTempDirectory("tenon-startup");
        Path engine = folder.resolve(model + ".tenon");
        try {
            run("save", onnx.toString(), model, engine.toString());
            List<double[]> tenon = new ArrayList<>();
            List<double[]> peer = new ArrayList<>();
            for (int i = 0; i < processes; i++) {
                tenon.add(run("tenon", engine.toString(), model, Integer.toString(RUNS_BEFORE_PEAK)));
                peer.add(run("onnxRuntime", onnx.toString(), model, Integer.toString(RUNS_BEFORE_PEAK)));
            }
            return new Pair(model, figures(tenon), figures(peer));
        } finally {
            Files.deleteIfExists(engine);
            Files.delete(folder);
        }
    }

    private static Figures figures(List<double[]> samples) {
        return new Figures(median(samples, 0), median(samples, 1), median(samples, 2));
    }

    private static double median(List<double[]> samples, int column) {
        double[] sorted = samples.stream().mapToDouble(s -> s[column]).sorted().toArray();
        return sorted[sorted.length / 2];
    }

    /** Open time, process time, peak; all but the last are zero where the process prints nothing. */
    private static double[] run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // A small heap on both sides, so that the peak is that of native memory and not of a lazy collector.
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED"));
        for (String option : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (option.startsWith("-Dtenon.")) {
                command.add(option);
            }
        }
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FirstResult.class.getName()));
        command.addAll(Arrays.asList(arguments));
        long start = System.nanoTime();
        Process p = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = p.waitFor();
        double millis = (System.nanoTime() - start) / 1e6;
        if (status != 0) {
            throw new IllegalStateException(String.join(" ", arguments) + " ended with " + status + ":\n" + out);
        }
        String[] figures =
                out.isBlank() ? new String[] {"0", "0"} : lastLine(out).split(" ");
        return new double[] {Double.parseDouble(figures[0]) / 1e6, millis, Double.parseDouble(figures[1]) / 1024};
    }

    private static String lastLine(String out) {
        String[] lines = out.strip().split("\n");
        return lines[lines.length - 1];
    }
}
