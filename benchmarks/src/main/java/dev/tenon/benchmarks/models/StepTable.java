package dev.tenon.benchmarks.models;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.plan.PlanInstance;
import dev.tenon.spi.StepInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Where does the time of a model go? Prints every step with its least time of several runs, the work it does per second, and
 * the sums by kind. Arguments: {@code [-t THREADS] [-n RUNS] MODEL...}
 */
public final class StepTable {
    private StepTable() {}

    private static final class Step {
        final StepInfo info;
        long nanos = Long.MAX_VALUE;

        Step(StepInfo info) {
            this.info = info;
        }

        double flopsPerNano() {
            return info.flops() / (double) nanos;
        }

        double bytesPerNano() {
            return (info.bytesRead() + info.bytesWritten()) / (double) nanos;
        }
    }

    public static void main(String[] args) {
        int threads = 1;
        int runs = 20;
        List<String> models = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "-t" -> threads = Integer.parseInt(args[++i]);
                case "-n" -> runs = Integer.parseInt(args[++i]);
                default -> models.add(args[i]);
            }
        }
        for (String model : models.isEmpty() ? Zoo.ALL : models) {
            print(model, threads, runs);
        }
    }

    private static void print(String model, int threads, int runs) {
        Map<String, Tensor> inputs = Zoo.inputs(model);
        long start = System.nanoTime();
        try (Engine engine = Engine.builder(Zoo.file(model)).threads(threads).build();
                Session session = engine.newSession()) {
            long built = System.nanoTime();
            inputs.forEach(session::bind);
            session.run();
            System.out.printf(
                    "%n== %s, %d threads: build %.0f ms, first run %.0f ms%n",
                    model, threads, (built - start) / 1e6, (System.nanoTime() - built) / 1e6);
            long best = Long.MAX_VALUE;
            for (int i = 0; i < runs; i++) {
                long t = System.nanoTime();
                session.run();
                best = Math.min(best, System.nanoTime() - t);
            }
            print(steps(engine, inputs, runs), best);
        } finally {
            inputs.values().forEach(Tensor::close);
        }
    }

    private static List<Step> steps(Engine engine, Map<String, Tensor> inputs, int runs) {
        List<Step> steps = new ArrayList<>();
        List<ValueType> types = new ArrayList<>();
        engine.inputs()
                .forEach(i ->
                        types.add(TensorType.of(i.type(), inputs.get(i.name()).shape())));
        try (PlanInstance instance = new PlanInstance(engine.model().plans(), types)) {
            for (int i = 0; i < types.size(); i++) {
                instance.bindInput(i, inputs.get(engine.inputs().get(i).name()));
            }
            instance.prepare();
            for (int i = 0; i < runs; i++) {
                int[] at = {0};
                instance.runProfiled((info, nanos) -> {
                    if (at[0] == steps.size()) {
                        steps.add(new Step(info));
                    }
                    Step s = steps.get(at[0]++);
                    s.nanos = Math.min(s.nanos, nanos);
                });
            }
        }
        return steps;
    }

    private static void print(List<Step> steps, long best) {
        double sum = steps.stream().mapToLong(s -> s.nanos).sum();
        System.out.printf("best run %.3f ms, %d steps of %.3f ms in sum%n", best / 1e6, steps.size(), sum / 1e6);
        System.out.printf(
                "%9s %5s %8s %7s %2s  %-12s %-34s %s%n",
                "us", "%", "GFLOP/s", "GB/s", "t", "kind", "by", "layouts, name");
        for (Step s : steps) {
            System.out.printf(
                    "%9.1f %5.1f %8.1f %7.1f %2d  %-12s %-34s %s  %s%n",
                    s.nanos / 1e3,
                    100 * s.nanos / sum,
                    s.flopsPerNano(),
                    s.bytesPerNano(),
                    s.info.threads(),
                    s.info.kind(),
                    s.info.implementation(),
                    s.info.layouts(),
                    s.info.name());
        }
        Map<String, long[]> kinds = new LinkedHashMap<>();
        for (Step s : steps) {
            long[] k = kinds.computeIfAbsent(s.info.kind() + "  " + s.info.implementation(), x -> new long[3]);
            k[0]++;
            k[1] += s.nanos;
            k[2] += s.info.flops();
        }
        System.out.println("by kind:");
        kinds.entrySet().stream()
                .sorted(Comparator.comparingLong(e -> -e.getValue()[1]))
                .forEach(e -> System.out.printf(
                        "%9.1f us %5.1f %% %4d steps %8.1f GFLOP/s  %s%n",
                        e.getValue()[1] / 1e3,
                        100 * e.getValue()[1] / sum,
                        e.getValue()[0],
                        e.getValue()[2] / (double) e.getValue()[1],
                        e.getKey()));
    }
}
