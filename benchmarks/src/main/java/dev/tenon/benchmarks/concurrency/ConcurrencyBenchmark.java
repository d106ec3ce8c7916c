package dev.tenon.benchmarks.concurrency;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import dev.tenon.benchmarks.models.Agreement;
import dev.tenon.benchmarks.models.OnnxRuntimePeer;
import dev.tenon.benchmarks.models.Zoo;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How many inferences a second do several callers get from one copy of the weights? One engine with a session for each
 * caller, beside one ONNX Runtime session that all callers share. A run itself takes {@code threads} threads.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class ConcurrencyBenchmark {
    @Param({"mlp", "mobilenet_v2", "bert_mini"})
    String model;

    @Param("1")
    int threads;

    private Map<String, Tensor> inputs;

    @Setup(Level.Trial)
    public void setUp() {
        inputs = Zoo.inputs(model);
    }

    @TearDown(Level.Trial)
    public void tearDown() {
        inputs.values().forEach(Tensor::close);
    }

    /** One engine for all callers. */
    @State(Scope.Benchmark)
    public static class TenonShared {
        Engine engine;

        @Setup(Level.Trial)
        public void setUp(ConcurrencyBenchmark b) {
            engine = Engine.builder(Zoo.file(b.model)).threads(b.threads).build();
            try (Session session = engine.newSession()) {
                b.inputs.forEach(session::bind);
                Agreement.check(engine, session, Zoo.file(b.model), b.threads, b.inputs);
            }
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            engine.close();
        }
    }

    /** A session for each caller. */
    @State(Scope.Thread)
    public static class TenonCaller {
        Session session;
        MemorySegment first;

        @Setup(Level.Trial)
        public void setUp(ConcurrencyBenchmark b, TenonShared shared) {
            session = shared.engine.newSession();
            b.inputs.forEach(session::bind);
            session.run();
            first = session.output(shared.engine.outputs().getFirst().name()).segment();
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            session.close();
        }

        float run() {
            session.run();
            return first.get(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    /** One ONNX Runtime session for all callers. */
    @State(Scope.Benchmark)
    public static class PeerShared {
        OnnxRuntimePeer peer;

        @Setup(Level.Trial)
        public void setUp(ConcurrencyBenchmark b) {
            peer = new OnnxRuntimePeer(Zoo.file(b.model), b.threads);
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            peer.close();
        }
    }

    /** The tensors of each caller. */
    @State(Scope.Thread)
    public static class PeerCaller {
        OnnxRuntimePeer.Call call;

        @Setup(Level.Trial)
        public void setUp(ConcurrencyBenchmark b, PeerShared shared) {
            call = shared.peer.call(b.inputs);
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            call.close();
        }
    }

    @Benchmark
    @Threads(1)
    public float tenon1(TenonCaller c) {
        return c.run();
    }

    @Benchmark
    @Threads(1)
    public float onnxRuntime1(PeerCaller c) {
        return c.call.run();
    }

    @Benchmark
    @Threads(2)
    public float tenon2(TenonCaller c) {
        return c.run();
    }

    @Benchmark
    @Threads(2)
    public float onnxRuntime2(PeerCaller c) {
        return c.call.run();
    }

    @Benchmark
    @Threads(8)
    public float tenon8(TenonCaller c) {
        return c.run();
    }

    @Benchmark
    @Threads(8)
    public float onnxRuntime8(PeerCaller c) {
        return c.call.run();
    }
}
