package dev.tenon.benchmarks.kernels;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.benchmarks.kernels.OnnxBytes.Attribute;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.SplittableRandom;

/** Models of one operator, with the least work that it can be done with. */
public enum SmallModel {
    /** One addition: what is left is the cost of a call. */
    ADD_1(1, 12, new long[] {1}, new long[] {1}) {
        @Override
        void operators(OnnxBytes m) {
            m.node("Add", "x x", "y");
        }
    },
    /** A vector times a 784 x 128 matrix, as in the first layer of a digit classifier. */
    MATMUL_784X128(2 * 784 * 128, 4L * 784 * 128, new long[] {1, 784}, new long[] {1, 128}) {
        @Override
        void operators(OnnxBytes m) {
            m.weight("w", 784, 128).node("MatMul", "x w", "y");
        }
    },
    /** A product whose operands no first-level cache holds. */
    MATMUL_512(2L * 512 * 512 * 512, 4L * 3 * 512 * 512, new long[] {512, 512}, new long[] {512, 512}) {
        @Override
        void operators(OnnxBytes m) {
            m.weight("w", 512, 512).node("MatMul", "x w", "y");
        }
    },
    /** A 3 x 3 convolution as in ResNet-50; operations are those of the direct method. */
    CONV_3X3(
            2L * 128 * 128 * 9 * 28 * 28,
            4L * (2 * 128 * 28 * 28 + 128 * 128 * 9),
            new long[] {1, 128, 28, 28},
            new long[] {1, 128, 28, 28}) {
        @Override
        void operators(OnnxBytes m) {
            m.weight("w", 128, 128, 3, 3).node("Conv", "x w", "y", Attribute.list("pads", 1, 1, 1, 1));
        }
    },
    /** Rows as in the attention of BERT-base: 12 heads, 128 tokens. */
    SOFTMAX(5L * 12 * 128 * 128, 8L * 12 * 128 * 128, new long[] {12, 128, 128}, new long[] {12, 128, 128}) {
        @Override
        void operators(OnnxBytes m) {
            m.node("Softmax", "x", "y");
        }
    },
    LAYER_NORM(8L * 128 * 768, 8L * 128 * 768, new long[] {128, 768}, new long[] {128, 768}) {
        @Override
        void operators(OnnxBytes m) {
            m.weight("scale", 768).weight("bias", 768).node("LayerNormalization", "x scale bias", "y");
        }
    },
    GELU(8L * 128 * 3072, 8L * 128 * 3072, new long[] {128, 3072}, new long[] {128, 3072}) {
        @Override
        void operators(OnnxBytes m) {
            m.node("Gelu", "x", "y");
        }
    },
    /** A large product: what the processor can do. */
    LIMIT_ARITHMETIC(2L * 1024 * 1024 * 1024, 12L * 1024 * 1024, new long[] {1024, 1024}, new long[] {1024, 1024}) {
        @Override
        void operators(OnnxBytes m) {
            m.weight("w", 1024, 1024).node("MatMul", "x w", "y");
        }
    },
    /** A sum of 128 MiB that is read once and written once: what the memory can do. */
    LIMIT_MEMORY(1L << 24, 8L << 24, new long[] {1 << 24}, new long[] {1 << 24}) {
        @Override
        void operators(OnnxBytes m) {
            m.node("Add", "x x", "y");
        }
    };

    /** Multiplications and additions, counted separately. */
    public final long flops;
    /** Bytes that must be read and written at least. */
    public final long bytes;

    private final long[] inputShape;
    private final long[] outputShape;

    SmallModel(long flops, long bytes, long[] inputShape, long[] outputShape) {
        this.flops = flops;
        this.bytes = bytes;
        this.inputShape = inputShape;
        this.outputShape = outputShape;
    }

    abstract void operators(OnnxBytes m);

    /** Writes the model to a new file, which the caller deletes. */
    public Path write() {
        OnnxBytes m = new OnnxBytes().input("x", inputShape).output("y", outputShape);
        operators(m);
        try {
            Path file = Files.createTempFile("tenon-benchmark", ".onnx");
            Files.write(file, m.model());
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its input. The caller closes it. */
    public Map<String, Tensor> inputs() {
        Tensor x = Tensor.allocate(DataType.FLOAT32, Shape.of(inputShape));
        SplittableRandom random = new SplittableRandom(42);
        for (long i = 0; i < x.size(); i++) {
            x.setDouble(i, random.nextDouble(-1, 1));
        }
        return Map.of("x", x);
    }
}
