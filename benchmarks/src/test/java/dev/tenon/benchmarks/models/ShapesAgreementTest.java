package dev.tenon.benchmarks.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tenon.DataType;
import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * One engine gives what ONNX Runtime gives, for several batch sizes and lengths one after the other. Needs the exported
 * models (benchmarks/README.md) in the folder that -Dtenon.models names.
 */
class ShapesAgreementTest {
    private static final double RTOL = 1e-3;
    private static final double ATOL = 1e-4;

    private final SplittableRandom random = new SplittableRandom(7);

    @ParameterizedTest
    @CsvSource({"mlp", "resnet50", "mobilenet_v2", "vgg16", "bert_mini", "bert", "gpt2", "lstm", "gru"})
    void agreesForSeveralShapesThroughOneEngine(String model) {
        Path folder = Path.of(System.getProperty("tenon.models", "models"));
        assumeTrue(Files.exists(folder.resolve(model + ".onnx")), "the exported models are not in " + folder);
        int[][] shapes = switch (model) {
            case "mlp" -> new int[][] {{1}, {3}, {17}, {1}};
            case "gpt2" -> new int[][] {{1, 1, 128}, {1, 4, 8}, {2, 3, 5}, {1, 1, 129}};
            case "bert" -> new int[][] {{1, 128}, {2, 17}};
            case "bert_mini" -> new int[][] {{1, 128}, {2, 17}, {3, 64}, {1, 1}, {1, 128}};
            case "lstm", "gru" -> new int[][] {{1, 100}, {3, 7}, {11, 20}, {1, 1}};
            case "vgg16" -> new int[][] {{1}, {2}};
            default -> new int[][] {{1}, {2}, {5}, {1}};
        };
        try (Engine engine = Engine.load(folder.resolve(model + ".onnx"));
                Session session = engine.newSession()) {
            for (int[] shape : shapes) {
                agree(model, folder.resolve(model + ".onnx"), engine, session, inputs(model, shape));
            }
        }
    }

    private static void agree(String model, Path file, Engine engine, Session session, Map<String, Tensor> inputs) {
        inputs.forEach(session::bind);
        session.run();
        try (OnnxRuntimePeer peer = new OnnxRuntimePeer(file, 2);
                OnnxRuntimePeer.Call call = peer.call(inputs)) {
            call.outputs().forEach((name, expected) -> {
                float[] actual = session.output(name).toFloatArray();
                assertThat(actual).as(model + " " + name).hasSameSizeAs(expected);
                for (int i = 0; i < actual.length; i++) {
                    double difference = Math.abs((double) actual[i] - expected[i]);
                    assertThat(difference)
                            .as(model + " " + name + "[" + i + "]: " + actual[i] + " for " + expected[i])
                            .isLessThanOrEqualTo(ATOL + RTOL * Math.abs(expected[i]));
                }
            });
        } finally {
            inputs.values().forEach(Tensor::close);
        }
    }

    private Map<String, Tensor> inputs(String model, int[] s) {
        Map<String, Tensor> in = new LinkedHashMap<>();
        switch (model) {
            case "mlp" -> in.put("input", floats(s[0], 1, 28, 28));
            case "bert", "bert_mini" -> {
                in.put("input_ids", integers(1000, s[0], s[1]));
                in.put("attention_mask", mask(s[0], s[1]));
                in.put("token_type_ids", integers(2, s[0], s[1]));
            }
            case "gpt2" -> {
                in.put("input_ids", integers(1000, s[0], s[1]));
                for (int layer = 0; layer < 12; layer++) {
                    in.put("past_" + layer + "_k", floats(s[0], 12, s[2], 64));
                    in.put("past_" + layer + "_v", floats(s[0], 12, s[2], 64));
                }
            }
            case "lstm", "gru" -> in.put("input", floats(s[0], s[1], 80));
            default -> in.put("input", floats(s[0], 3, 224, 224));
        }
        return in;
    }

    private Tensor floats(long... shape) {
        Tensor t = Tensor.allocate(DataType.FLOAT32, Shape.of(shape));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, random.nextDouble(-1, 1));
        }
        return t;
    }

    private Tensor integers(int bound, long... shape) {
        Tensor t = Tensor.allocate(DataType.INT64, Shape.of(shape));
        for (long i = 0; i < t.size(); i++) {
            t.setLong(i, random.nextInt(bound));
        }
        return t;
    }

    /** Ones, but for the last fifth of each row. */
    private static Tensor mask(long rows, long columns) {
        Tensor t = Tensor.allocate(DataType.INT64, Shape.of(rows, columns));
        for (long i = 0; i < t.size(); i++) {
            t.setLong(i, i % columns < columns - columns / 5 ? 1 : 0);
        }
        return t;
    }
}
