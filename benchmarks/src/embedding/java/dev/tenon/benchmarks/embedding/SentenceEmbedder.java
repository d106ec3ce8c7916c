package dev.tenon.benchmarks.embedding;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.tenon.DataType;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/**
 * The all-MiniLM-L6-v2 sentence embeddings through Tenon, with the model and the tokenizer that LangChain4j's artifact
 * carries: the mean of the token vectors, scaled to length one. For one thread at a time.
 */
public final class SentenceEmbedder implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;
    private final Path file;
    private final Engine engine;
    private final Session session;

    public SentenceEmbedder() throws IOException {
        try (InputStream in = resource("all-minilm-l6-v2-tokenizer.json")) {
            tokenizer = HuggingFaceTokenizer.newInstance(in, Map.of("padding", "false"));
        }
        file = Files.createTempFile("all-minilm-l6-v2", ".onnx");
        try (InputStream in = resource("all-minilm-l6-v2.onnx")) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
        engine = Engine.load(file);
        session = engine.newSession();
    }

    private static InputStream resource(String name) throws IOException {
        InputStream in = SentenceEmbedder.class.getClassLoader().getResourceAsStream(name);
        if (in == null) {
            throw new IOException("there is no " + name + " on the class path");
        }
        return in;
    }

    /** The embedding of a sentence. */
    public float[] embed(String sentence) {
        Encoding tokens = tokenizer.encode(sentence, true, false);
        set("input_ids", tokens.getIds());
        set("attention_mask", tokens.getAttentionMask());
        set("token_type_ids", tokens.getTypeIds());
        session.run();
        Tensor vectors = session.output(engine.outputs().getFirst().name());
        return normalized(mean(vectors));
    }

    private void set(String input, long[] values) {
        session.input(input, 1, values.length).copyFrom(values);
    }

    private static float[] mean(Tensor vectors) {
        if (vectors.type() != DataType.FLOAT32) {
            throw new IllegalStateException("vectors of " + vectors.type());
        }
        MemorySegment data = vectors.segment();
        int tokens = Math.toIntExact(vectors.shape().dim(1));
        int width = Math.toIntExact(vectors.shape().dim(2));
        float[] sum = new float[width];
        for (int t = 0; t < tokens; t++) {
            for (int i = 0; i < width; i++) {
                sum[i] += data.getAtIndex(ValueLayout.JAVA_FLOAT, (long) t * width + i);
            }
        }
        for (int i = 0; i < width; i++) {
            sum[i] /= tokens;
        }
        return sum;
    }

    private static float[] normalized(float[] v) {
        double squares = 0;
        for (float x : v) {
            squares += x * x;
        }
        float length = (float) Math.sqrt(squares);
        for (int i = 0; i < v.length; i++) {
            v[i] /= length;
        }
        return v;
    }

    @Override
    public void close() throws IOException {
        engine.close();
        tokenizer.close();
        Files.delete(file);
    }
}
