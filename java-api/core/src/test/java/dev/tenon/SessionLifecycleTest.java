package dev.tenon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tenon.internal.onnx.TestModel;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Use after close, closing during runs, cancelling, and many threads. */
@Timeout(120)
class SessionLifecycleTest {
    @TempDir
    Path folder;

    @Test
    void useAfterCloseThrows() throws Exception {
        Engine engine = Engine.load(Models.dense(folder));
        Session session = engine.newSession();
        Tensor in = session.input("x");
        session.run();
        Tensor out = session.output("y");
        session.close();
        assertThatIllegalStateException().isThrownBy(session::run).withMessage("the session is closed");
        assertThatIllegalStateException().isThrownBy(() -> session.output("y"));
        assertThatIllegalStateException().isThrownBy(() -> session.bind("x", in));
        assertThatIllegalStateException().isThrownBy(session::prepare);
        assertThatIllegalStateException().isThrownBy(() -> in.setDouble(0, 1));
        assertThatIllegalStateException().isThrownBy(out::toFloatArray);
        assertThatIllegalStateException().isThrownBy(() -> out.segment().get(ValueLayout.JAVA_BYTE, 0));
        session.cancel();
        session.close();
        engine.close();
        engine.close();
        assertThatIllegalStateException().isThrownBy(engine::newSession).withMessage("the engine is closed");
        assertThatIllegalStateException().isThrownBy(() -> engine.run(Map.of()));
        assertThatIllegalStateException().isThrownBy(() -> engine.save(folder.resolve("x.tenon")));
    }

    @Test
    void closingTheEngineClosesItsSessions() throws Exception {
        Engine engine = Engine.load(Models.dense(folder));
        Session session = engine.newSession();
        engine.close();
        assertThatIllegalStateException().isThrownBy(session::run).withMessage("the session is closed");
        session.close();
    }

    @Test
    void aClosedTensorIsNotReadByARun() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession()) {
            Tensor x = Tensor.of(new float[] {1, 2, 3, 4}, 1, 4);
            session.bind("x", x);
            session.run();
            x.close();
            x.close();
            assertThatIllegalStateException().isThrownBy(session::run).withMessageContaining("'x'");
            try (Tensor again = Tensor.of(new float[] {1, 2, 3, 4}, 1, 4)) {
                session.bind("x", again);
                session.run();
            }
            Tensor y = Tensor.allocate(DataType.FLOAT32, Shape.of(1, 3));
            try (Tensor again = Tensor.of(new float[] {1, 2, 3, 4}, 1, 4)) {
                session.bind("x", again);
                session.bind("y", y);
                session.run();
                y.close();
                assertThatIllegalStateException().isThrownBy(session::run).withMessageContaining("'y'");
            }
        }
    }

    @Test
    void aSegmentOfAClosedArenaIsNotReadByARun() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession()) {
            try (Arena arena = Arena.ofShared()) {
                session.bind("x", Tensor.of(arena.allocate(16, 4), DataType.FLOAT32, Shape.of(1, 4)));
                session.run();
            }
            assertThatIllegalStateException().isThrownBy(session::run).withMessageContaining("'x'");
        }
    }

    @Test
    void theEngineClosesWhileSessionsRun() throws Exception {
        Path model = Models.dense(folder);
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            for (int i = 0; i < 200; i++) {
                Engine engine = Engine.load(model);
                CountDownLatch started = new CountDownLatch(3);
                List<Future<Integer>> runs = new ArrayList<>();
                for (int t = 0; t < 3; t++) {
                    runs.add(threads.submit(untilClosed(engine, t, started)));
                }
                started.await();
                engine.close();
                for (Future<Integer> f : runs) {
                    assertThat(f.get()).isPositive();
                }
            }
        }
    }

    /** Runs until the engine is closed under it; one in three makes a new session each time. */
    private static Callable<Integer> untilClosed(Engine engine, int kind, CountDownLatch started) {
        return () -> {
            int runs = 0;
            Session session = kind == 0 ? engine.newSession() : null;
            try (Tensor x = Tensor.of(Models.values(4, 1), 1, 4)) {
                while (true) {
                    if (kind == 0) {
                        session.run();
                    } else if (kind == 1) {
                        engine.run(Map.of("x", x)).values().forEach(Tensor::close);
                    } else {
                        try (Session s = engine.newSession()) {
                            s.run();
                        }
                    }
                    if (runs++ == 0) {
                        started.countDown();
                    }
                }
            } catch (IllegalStateException e) {
                return runs;
            }
        };
    }

    @Test
    void aSessionClosesDuringARun() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder, "big.onnx", 64L, 512, 512));
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            for (int i = 0; i < 50; i++) {
                Session session = engine.newSession();
                CountDownLatch started = new CountDownLatch(1);
                Future<?> run = threads.submit(() -> {
                    while (true) {
                        session.run();
                        started.countDown();
                    }
                });
                started.await();
                session.close();
                assertThatThrownBy(run::get).hasCauseInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Test
    void cancelStopsALoopAndLeavesTheSessionUsable() throws Exception {
        try (Engine engine = Engine.load(Models.loop(folder));
                Session session = engine.newSession();
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            session.input("trips").setLong(0, 3);
            session.input("start").setDouble(0, 2);
            session.run();
            assertThat(session.output("end").getDouble(0)).isEqualTo(5);
            session.cancel();
            session.run();
            assertThat(session.output("end").getDouble(0)).isEqualTo(5);
            session.input("trips").setLong(0, Long.MAX_VALUE);
            Future<?> run = threads.submit(session::run);
            while (!run.isDone()) {
                session.cancel();
                Thread.sleep(5);
            }
            assertThatThrownBy(run::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(CancelledException.class);
            session.input("trips").setLong(0, 4);
            session.run();
            assertThat(session.output("end").getDouble(0)).isEqualTo(6);
        }
    }

    @Test
    void anInterruptStopsALoop() throws Exception {
        try (Engine engine = Engine.load(Models.loop(folder));
                Session session = engine.newSession()) {
            session.input("trips").setLong(0, Long.MAX_VALUE);
            Thread.currentThread().interrupt();
            assertThatThrownBy(session::run).isInstanceOf(CancelledException.class);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void cancelStopsANativeRun() throws Exception {
        TestModel m = new TestModel().input("x", DataType.FLOAT32, 256, 256).output("y", DataType.FLOAT32, 256, 256);
        float[] w = new float[256 * 256];
        m.floats("w", new long[] {256, 256}, w);
        String last = "x";
        for (int i = 0; i < 300; i++) {
            String next = i == 299 ? "y" : "v" + i;
            m.node("MatMul", last + " w", next);
            last = next;
        }
        try (Engine engine = Engine.load(m.save(folder, "deep.onnx"));
                Session session = engine.newSession();
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            boolean cancelled = false;
            for (int i = 0; i < 100 && !cancelled; i++) {
                Future<?> run = threads.submit(session::run);
                while (!run.isDone()) {
                    session.cancel();
                }
                try {
                    run.get();
                } catch (ExecutionException e) {
                    assertThat(e).hasCauseInstanceOf(CancelledException.class);
                    cancelled = true;
                }
            }
            assertThat(cancelled).isTrue();
            session.run();
        }
    }

    @Test
    void twoThreadsOnOneSessionTakeTurns() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession();
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            session.input("x").copyFrom(new float[] {1, 2, 3, 4});
            Callable<Void> many = () -> {
                for (int i = 0; i < 2000; i++) {
                    session.run();
                }
                return null;
            };
            for (Future<Void> f : threads.invokeAll(List.of(many, many))) {
                f.get();
            }
            assertThat(session.output("y").toFloatArray())
                    .containsExactly(Models.expected(new float[] {1, 2, 3, 4}, 1, 4, 3), within(1e-5f));
        }
    }

    @Test
    void manyThreadsRunOneEngine() throws Exception {
        try (ExecutorService platform = Executors.newFixedThreadPool(8);
                ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
            runFrom(platform);
            runFrom(virtual);
        }
    }

    private void runFrom(ExecutorService threads) throws Exception {
        try (Engine engine = Engine.load(Models.denseOpen(folder))) {
            List<Future<Void>> done = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                int seed = t;
                done.add(threads.submit(() -> {
                    for (int i = 0; i < 200; i++) {
                        int rows = 1 + (seed + i) % 5;
                        float[] values = Models.values(rows * 4, seed * 1000 + i);
                        try (Tensor x = Tensor.of(values, rows, 4);
                                Tensor y = engine.run(Map.of("x", x)).get("y")) {
                            assertThat(y.toFloatArray())
                                    .containsExactly(Models.expected(values, rows, 4, 3), within(1e-5f));
                        }
                    }
                    return null;
                }));
            }
            for (Future<Void> f : done) {
                f.get(60, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void aTensorInUseByARunIsNotFreed() throws Exception {
        try (Engine engine = Engine.load(Models.loop(folder));
                Session session = engine.newSession();
                ExecutorService threads = Executors.newFixedThreadPool(1)) {
            Tensor trips = Tensor.of(new long[] {Long.MAX_VALUE}, new long[0]);
            session.bind("trips", trips);
            session.input("start");
            Future<?> run = threads.submit(session::run);
            Throwable refused = null;
            for (int i = 0; i < 1000 && refused == null && !run.isDone(); i++) {
                Thread.sleep(20);
                try {
                    trips.close();
                    break;
                } catch (IllegalStateException e) {
                    refused = e;
                }
            }
            while (!run.isDone()) {
                session.cancel();
                Thread.sleep(5);
            }
            // Either the run had not begun, and then it must not have read the closed tensor, or closing was refused.
            assertThatThrownBy(run::get)
                    .hasCauseInstanceOf(refused == null ? IllegalStateException.class : CancelledException.class);
            trips.close();
        }
    }

    @Test
    void memoryOfAnotherThreadIsRefused() throws Exception {
        try (Engine engine = Engine.load(Models.dense(folder));
                Session session = engine.newSession();
                ExecutorService threads = Executors.newFixedThreadPool(1);
                Arena arena = Arena.ofConfined()) {
            session.bind("x", Tensor.of(arena.allocate(16, 4), DataType.FLOAT32, Shape.of(1, 4)));
            session.run();
            assertThatThrownBy(() -> threads.submit(session::run).get())
                    .hasCauseInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'x'");
        }
    }
}
