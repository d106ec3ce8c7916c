package dev.tenon.benchmarks.calls;

import dev.tenon.Tensor;
import dev.tenon.benchmarks.kernels.SmallModel;
import dev.tenon.benchmarks.models.Sides;
import dev.tenon.internal.ffi.TenonH;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What does a call cost, apart from the work? A model of one addition, beside a bare call into the native library. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class CallBenchmark {
    private Path file;
    private Map<String, Tensor> inputs;

    @Setup(Level.Trial)
    public void setUp() {
        file = SmallModel.ADD_1.write();
        inputs = SmallModel.ADD_1.inputs();
    }

    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        Files.delete(file);
        inputs.values().forEach(Tensor::close);
    }

    /** Tenon's side. */
    @State(Scope.Benchmark)
    public static class TenonSide {
        Sides.Tenon side;

        @Setup(Level.Trial)
        public void setUp(CallBenchmark b) {
            side = new Sides.Tenon(b.file, 1, b.inputs);
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            side.close();
        }
    }

    /** The peer's side. */
    @State(Scope.Benchmark)
    public static class PeerSide {
        Sides.Peer side;

        @Setup(Level.Trial)
        public void setUp(CallBenchmark b) {
            side = new Sides.Peer(b.file, 1, b.inputs);
        }

        @TearDown(Level.Trial)
        public void tearDown() {
            side.close();
        }
    }

    @Benchmark
    public float tenon(TenonSide s) {
        return s.side.run();
    }

    @Benchmark
    public float onnxRuntime(PeerSide s) {
        return s.side.run();
    }

    /** The floor: one call through the foreign function interface that does nothing. */
    @Benchmark
    public long foreignCall() {
        return TenonH.abiVersion();
    }
}
