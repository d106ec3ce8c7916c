package dev.tenon.benchmarks.models;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** The models measured, with inputs of batch 1 and a fixed seed. The folder with the .onnx files is -Dtenon.models. */
public final class Zoo {
    /** Models that a benchmark takes where it does not say otherwise. */
    public static final List<String> ALL =
            List.of("mlp", "resnet50", "mobilenet_v2", "vgg16", "bert", "bert_mini", "gpt2", "lstm", "gru");

    private static final int GPT2_LAYERS = 12;

    private Zoo() {}

    /** The file of a model. @throws IllegalStateException if it is not there, with the way to get it */
    public static Path file(String model) {
        Path folder = Path.of(System.getProperty("tenon.models", "models"));
        Path file = folder.resolve(model + ".onnx");
        if (!Files.exists(file)) {
            throw new IllegalStateException("there is no " + file.toAbsolutePath()
                    + "; export the models (benchmarks/README.md) and set -Dtenon.models to their folder");
        }
        return file;
    }

    /** Inputs of batch 1: images of 224 x 224, 128 tokens, one token after 128 past ones, 100 frames. The caller closes them. */
    public static Map<String, Tensor> inputs(String model) {
        Map<String, Tensor> in = new LinkedHashMap<>();
        SplittableRandom random = new SplittableRandom(42);
        switch (model) {
            case "mlp" -> in.put("input", floats(random, 1, 1, 28, 28));
            case "bert", "bert_mini" -> {
                in.put("input_ids", integers(random, 1000, 1, 128));
                in.put("attention_mask", integers(random, 1, 1, 128));
                in.put("token_type_ids", integers(random, 1, 1, 128));
                for (int i = 0; i < 128; i++) {
                    in.get("attention_mask").setLong(i, 1);
                }
            }
            case "gpt2" -> {
                in.put("input_ids", integers(random, 1000, 1, 1));
                for (int layer = 0; layer < GPT2_LAYERS; layer++) {
                    in.put("past_" + layer + "_k", floats(random, 1, 12, 128, 64));
                    in.put("past_" + layer + "_v", floats(random, 1, 12, 128, 64));
                }
            }
            case "lstm", "gru" -> in.put("input", floats(random, 1, 100, 80));
            default -> in.put("input", floats(random, 1, 3, 224, 224));
        }
        return in;
    }

    private static Tensor floats(SplittableRandom random, long... shape) {
        Tensor t = Tensor.allocate(DataType.FLOAT32, Shape.of(shape));
        for (long i = 0; i < t.size(); i++) {
            t.setDouble(i, random.nextDouble(-1, 1));
        }
        return t;
    }

    private static Tensor integers(SplittableRandom random, int bound, long... shape) {
        Tensor t = Tensor.allocate(DataType.INT64, Shape.of(shape));
        for (long i = 0; i < t.size(); i++) {
            t.setLong(i, random.nextInt(bound));
        }
        return t;
    }
}
