package dev.tenon.cli;

import dev.tenon.Engine;
import dev.tenon.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What this machine can do at best, measured now: a large matrix product through the engine, and a stream of reads that no
 * cache holds.
 */
record MachineLimits(double flopsPerSecond, double bytesPerSecond, int threads) {
    private static final int MATRIX = 1024;
    private static final int WORDS = 1 << 23;
    private static final int ROUNDS = 30;
    private static final long BUDGET_NANOS = 400_000_000;

    static MachineLimits measure(int threads) throws IOException {
        return new MachineLimits(product(threads), reads(threads), threads);
    }

    private static double product(int threads) throws IOException {
        Path file = Files.createTempFile("tenon-limit", ".onnx");
        try {
            Files.write(file, OnnxBytes.matMul(MATRIX));
            try (Engine engine = Engine.builder(file).threads(threads).build();
                    Session session = engine.newSession()) {
                long best = Long.MAX_VALUE;
                long end = System.nanoTime() + BUDGET_NANOS;
                for (int i = 0; i < 3 || i < ROUNDS && System.nanoTime() < end; i++) {
                    long start = System.nanoTime();
                    session.run();
                    best = Math.min(best, System.nanoTime() - start);
                }
                return 2.0 * MATRIX * MATRIX * MATRIX / best * 1e9;
            }
        } finally {
            Files.delete(file);
        }
    }

    private static double reads(int threads) {
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            List<long[]> arrays = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                arrays.add(new long[WORDS]);
            }
            long best = Long.MAX_VALUE;
            long kept = 0;
            long end = System.nanoTime() + BUDGET_NANOS;
            for (int i = 0; i < 3 || i < ROUNDS && System.nanoTime() < end; i++) {
                long start = System.nanoTime();
                List<Future<Long>> sums = new ArrayList<>();
                for (long[] a : arrays) {
                    sums.add(pool.submit(() -> sum(a)));
                }
                for (Future<Long> s : sums) {
                    kept += s.get();
                }
                best = Math.min(best, System.nanoTime() - start);
            }
            if (kept != 0) {
                throw new IllegalStateException("zeros add up to " + kept);
            }
            return 8.0 * WORDS * threads / best * 1e9;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted", e);
        } catch (ExecutionException e) {
            throw new CliException("measuring memory failed: " + e.getCause(), e);
        }
    }

    /** Eight sums at once, so that additions do not wait for each other. */
    private static long sum(long[] a) {
        long s0 = 0;
        long s1 = 0;
        long s2 = 0;
        long s3 = 0;
        long s4 = 0;
        long s5 = 0;
        long s6 = 0;
        long s7 = 0;
        for (int i = 0; i < a.length; i += 8) {
            s0 += a[i];
            s1 += a[i + 1];
            s2 += a[i + 2];
            s3 += a[i + 3];
            s4 += a[i + 4];
            s5 += a[i + 5];
            s6 += a[i + 6];
            s7 += a[i + 7];
        }
        return s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
    }

    /** The share of the nearer limit that work reaches which takes this long: of arithmetic or of memory. */
    double share(long flops, long bytes, double nanos) {
        return Math.max(flops / flopsPerSecond, bytes / bytesPerSecond) / (nanos / 1e9);
    }

    String text() {
        return Text.format(
                "measured now with %s: %.0f GFLOP/s in a %d x %d x %d product, %.1f GB/s reading memory",
                Text.count(threads, "thread"), flopsPerSecond / 1e9, MATRIX, MATRIX, MATRIX, bytesPerSecond / 1e9);
    }

    Map<String, Object> json() {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("gflops", flopsPerSecond / 1e9);
        m.put("gbytes_per_second", bytesPerSecond / 1e9);
        m.put("threads", threads);
        return m;
    }
}
