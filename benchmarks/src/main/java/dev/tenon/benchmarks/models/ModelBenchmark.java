package dev.tenon.benchmarks.models;

import dev.tenon.Tensor;
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
 * How long does one inference take, beside ONNX Runtime in the same run? Batch 1, fp32, one caller. Read the ratio of the two
 * methods, not the times.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 3)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class ModelBenchmark {
    @Param({"mlp", "resnet50", "mobilenet_v2", "vgg16", "bert", "bert_mini", "gpt2", "lstm", "gru"})
    String model;

    @Param({"1", "2"})
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

    /** Tenon's side. */
    @State(Scope.Benchmark)
    public static class TenonSide {
        Sides.Tenon side;

        @Setup(Level.Trial)
        public void setUp(ModelBenchmark b) {
            side = new Sides.Tenon(Zoo.file(b.model), b.threads, b.inputs);
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
        public void setUp(ModelBenchmark b) {
            side = new Sides.Peer(Zoo.file(b.model), b.threads, b.inputs);
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
