package dev.tenon.benchmarks.startup;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import dev.tenon.benchmarks.models.OnnxRuntimePeer;
import dev.tenon.benchmarks.models.Zoo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The process that {@link Startup} starts: opens a model, runs it, prints what that took. Arguments: {@code tenon|onnxRuntime}
 * or {@code save}, the file, the model's name (for its inputs), the runs after the first; for {@code save} the engine file.
 */
final class FirstResult {
    private static final int THREADS = 1;

    private FirstResult() {}

    public static void main(String[] args) throws IOException {
        Path file = Path.of(args[1]);
        try (Inputs inputs = new Inputs(Zoo.inputs(args[2]))) {
            switch (args[0]) {
                case "save" -> save(file, inputs.tensors(), Path.of(args[3]));
                case "tenon" -> tenon(file, inputs.tensors(), Integer.parseInt(args[3]));
                case "onnxRuntime" -> onnxRuntime(file, inputs.tensors(), Integer.parseInt(args[3]));
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    private record Inputs(Map<String, Tensor> tensors) implements AutoCloseable {
        @Override
        public void close() {
            tensors.values().forEach(Tensor::close);
        }
    }

    private static void save(Path file, Map<String, Tensor> inputs, Path engineFile) {
        Engine.Builder builder = Engine.builder(file).threads(THREADS);
        // With fixed shapes the engine file holds all packed weights.
        inputs.forEach((name, t) -> builder.shape(name, t.shape().dims()));
        try (Engine engine = builder.build()) {
            engine.save(engineFile);
        }
    }

    private static void tenon(Path file, Map<String, Tensor> inputs, int runs) throws IOException {
        long start = System.nanoTime();
        try (Engine engine = Engine.builder(file).threads(THREADS).build();
                Session session = engine.newSession()) {
            inputs.forEach(session::bind);
            session.run();
            long first = System.nanoTime() - start;
            for (int i = 0; i < runs; i++) {
                session.run();
            }
            print(first);
        }
    }

    private static void onnxRuntime(Path file, Map<String, Tensor> inputs, int runs) throws IOException {
        long start = System.nanoTime();
        try (OnnxRuntimePeer peer = new OnnxRuntimePeer(file, THREADS);
                OnnxRuntimePeer.Call call = peer.call(inputs)) {
            // Making the call has run the model once.
            long first = System.nanoTime() - start;
            for (int i = 0; i < runs; i++) {
                call.run();
            }
            print(first);
        }
    }

    /** The time to the first result, and the process's peak memory where the system tells it. */
    private static void print(long first) throws IOException {
        System.out.println(first + " " + peakKiB());
    }

    private static long peakKiB() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return -1;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return -1;
    }
}
