package dev.tenon.benchmarks.embedding;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tenon's embeddings point the same way as LangChain4j's, and are those of a model that understands sentences. */
class SentenceEmbedderTest {
    private static final double SAME = 0.99999;

    private static AllMiniLmL6V2EmbeddingModel peer;
    private static SentenceEmbedder embedder;

    @BeforeAll
    static void open() throws IOException {
        peer = new AllMiniLmL6V2EmbeddingModel();
        embedder = new SentenceEmbedder();
    }

    @AfterAll
    static void close() throws IOException {
        embedder.close();
    }

    static Stream<String> sentences() {
        return Stream.of(
                "Hello",
                "a",
                "The quick brown fox jumps over the lazy dog.",
                "How do I reset my password?",
                "I forgot my login and cannot get in.",
                "Der Zug nach München fährt um 8 Uhr ab.",
                "Il pleut sur la ville depuis ce matin.",
                "東京は日本の首都です。",
                "Москва слезам не верит",
                "E = mc²; and 3.14159 is close to π!",
                "public static void main(String[] args) { System.out.println(42); }",
                "https://example.org/a/b?c=d&e=f#g",
                "SHOUTING AND whispering, in ONE sentence",
                "🙂🚀 emoji only make some tokenizers nervous",
                "naïve café résumé coöperate",
                "   spaces    around\tand\nwithin   ",
                "antidisestablishmentarianism floccinaucinihilipilification",
                "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
                "Quarterly revenue rose 12.5% to $3.4bn, ahead of what analysts had expected.",
                "The patient was given 20 mg twice a day and improved within a week.",
                "\"Quotes\" (and brackets) [of] {all} <kinds>, 'really'...",
                "A longer text says more than a short one. ".repeat(12));
    }

    @ParameterizedTest
    @MethodSource("sentences")
    void pointsTheSameWayAsLangChain4j(String sentence) {
        float[] expected = peer.embed(sentence).content().vector();

        float[] actual = embedder.embed(sentence);

        assertThat(actual).hasSameSizeAs(expected);
        assertThat(cosine(actual, expected)).isGreaterThan(SAME);
    }

    @Test
    void tellsMeaningsApart() {
        float[] question = embedder.embed("How do I reset my password?");
        double near = cosine(question, embedder.embed("I forgot my login and cannot get in."));
        double far = cosine(question, embedder.embed("The patient was given 20 mg twice a day."));

        assertThat(near).isGreaterThan(far + 0.2);
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            dot += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return dot / Math.sqrt(aa * bb);
    }
}
