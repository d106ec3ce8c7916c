package dev.tenon.benchmarks.embedding;

import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import java.io.IOException;
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
 * How long does it take from a sentence to its embedding, tokenizer included, beside LangChain4j's class for the same model?
 * Both use all cores.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class EmbeddingBenchmark {
    /** Times that a phrase of seven words is said. */
    @Param({"1", "10"})
    int phrases;

    private String sentence;

    @Setup(Level.Trial)
    public void setUp() {
        sentence = "a small boat crosses the bay before ".repeat(phrases).strip();
    }

    /** Tenon's side. */
    @State(Scope.Benchmark)
    public static class TenonSide {
        SentenceEmbedder embedder;

        @Setup(Level.Trial)
        public void setUp() throws IOException {
            embedder = new SentenceEmbedder();
        }

        @TearDown(Level.Trial)
        public void tearDown() throws IOException {
            embedder.close();
        }
    }

    /** The peer's side. */
    @State(Scope.Benchmark)
    public static class PeerSide {
        final AllMiniLmL6V2EmbeddingModel model = new AllMiniLmL6V2EmbeddingModel();
    }

    @Benchmark
    public float[] tenon(TenonSide s) {
        return s.embedder.embed(sentence);
    }

    @Benchmark
    public float[] langChain4j(PeerSide s) {
        return s.model.embed(sentence).content().vector();
    }
}
