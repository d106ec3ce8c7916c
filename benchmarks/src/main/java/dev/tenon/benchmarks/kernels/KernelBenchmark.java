package dev.tenon.benchmarks.kernels;

import dev.tenon.Tensor;
import dev.tenon.benchmarks.models.Sides;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * How near do single operators come to what the machine can do? One thread; the two limits are measured beside them, and the
 * report sets work per time in relation to the nearer one.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 1)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class KernelBenchmark {
    @Param({
        "LIMIT_ARITHMETIC",
        "LIMIT_MEMORY",
        "MATMUL_784X128",
        "MATMUL_512",
        "CONV_3X3",
        "SOFTMAX",
        "LAYER_NORM",
        "GELU"
    })
    SmallModel kernel;

    private Path file;
    private Map<String, Tensor> inputs;

    @Setup(Level.Trial)
    public void setUp() {
        file = kernel.write();
        inputs = kernel.inputs();
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
        public void setUp(KernelBenchmark b) {
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
        public void setUp(KernelBenchmark b) {
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
}
