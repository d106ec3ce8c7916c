package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Running threads stay within the cores, and an idle engine does nothing. */
@Timeout(60)
class ThreadBudgetTest {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    @TempDir
    Path folder;

    @Test
    void manyCallersUseNoMoreThanTheCores() throws Exception {
        int cores = Runtime.getRuntime().availableProcessors();
        try (Engine engine = Engine.builder(Models.dense(folder, "wide.onnx", 32L, 512, 512))
                        .threads(cores)
                        .build();
                ExecutorService threads = Executors.newFixedThreadPool(8)) {
            List<Session> sessions = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                Session s = engine.newSession();
                s.input("x").copyFrom(Models.values(32 * 512, i));
                s.run();
                sessions.add(s);
            }
            long cpu = SYSTEM.getProcessCpuTime();
            long wall = System.nanoTime();
            long end = wall + 1_500_000_000L;
            List<Future<?>> runs = new ArrayList<>();
            for (Session s : sessions) {
                runs.add(threads.submit(() -> {
                    while (System.nanoTime() < end) {
                        s.run();
                    }
                }));
            }
            for (Future<?> f : runs) {
                f.get();
            }
            double used = (double) (SYSTEM.getProcessCpuTime() - cpu) / (System.nanoTime() - wall);
            assertThat(used).as("cores in use").isBetween(0.2, cores * 1.1);
            for (int i = 0; i < 8; i++) {
                assertThat(sessions.get(i).output("y").toFloatArray())
                        .containsExactly(
                                Models.expected(Models.values(32 * 512, i), 32, 512, 512),
                                org.assertj.core.api.Assertions.within(1e-3f));
            }
        }
    }

    @Test
    void anIdleEngineBurnsNothing() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder, "wide.onnx", 256L, 512, 512));
                Session session = engine.newSession()) {
            for (int i = 0; i < 20; i++) {
                session.run();
            }
            long least = Long.MAX_VALUE;
            // The compiler and the collector of the JVM may still be busy at first.
            for (int i = 0; i < 6 && least > 20_000_000; i++) {
                Thread.sleep(300);
                long cpu = SYSTEM.getProcessCpuTime();
                Thread.sleep(1_000);
                least = Math.min(least, SYSTEM.getProcessCpuTime() - cpu);
            }
            assertThat(least)
                    .as("nanoseconds of processor time in a second of idling")
                    .isLessThanOrEqualTo(20_000_000);
        }
    }
}
