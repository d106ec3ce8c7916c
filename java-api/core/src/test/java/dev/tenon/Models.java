package dev.tenon;

import dev.tenon.internal.onnx.TestModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;

/** Small models that several tests use. */
final class Models {
    private Models() {}

    /** y = relu(x w + b): 4 inputs, 3 outputs, one row. */
    static Path dense(Path folder) throws IOException {
        return dense(folder, "dense.onnx", 1L, 4, 3);
    }

    /** y = relu(x w + b) with an open number of rows. */
    static Path denseOpen(Path folder) throws IOException {
        return dense(folder, "dense-open.onnx", "N", 4, 3);
    }

    /** y = relu(x w + b). @param rows a size or a symbol */
    static Path dense(Path folder, String file, Object rows, int k, int n) throws IOException {
        Random random = new Random(5);
        float[] w = new float[k * n];
        for (int i = 0; i < w.length; i++) {
            w[i] = random.nextFloat() - 0.5f;
        }
        float[] b = new float[n];
        for (int i = 0; i < n; i++) {
            b[i] = random.nextFloat();
        }
        return new TestModel()
                .input("x", DataType.FLOAT32, rows, k)
                .output("y", DataType.FLOAT32, rows, n)
                .floats("w", new long[] {k, n}, w)
                .floats("b", new long[] {n}, b)
                .node("MatMul", "x w", "p")
                .node("Add", "p b", "s")
                .node("Relu", "s", "y")
                .save(folder, file);
    }

    /** What {@link #dense} computes. */
    static float[] expected(float[] x, int rows, int k, int n) {
        Random random = new Random(5);
        float[] w = new float[k * n];
        for (int i = 0; i < w.length; i++) {
            w[i] = random.nextFloat() - 0.5f;
        }
        float[] b = new float[n];
        for (int i = 0; i < n; i++) {
            b[i] = random.nextFloat();
        }
        float[] y = new float[rows * n];
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < n; j++) {
                double sum = b[j];
                for (int i = 0; i < k; i++) {
                    sum += (double) x[r * k + i] * w[i * n + j];
                }
                y[r * n + j] = (float) Math.max(0, sum);
            }
        }
        return y;
    }

    /** Values that differ with the seed. */
    static float[] values(int count, long seed) {
        Random random = new Random(seed);
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = random.nextFloat() * 2 - 1;
        }
        return x;
    }

    /** Counts to {@code trips}, one host step an iteration: runs as long as the caller likes. */
    static Path loop(Path folder) throws IOException {
        TestModel body = new TestModel()
                .input("i", DataType.INT64)
                .input("c", DataType.BOOL)
                .input("s", DataType.FLOAT32)
                .output("c1", DataType.BOOL)
                .output("s1", DataType.FLOAT32)
                .floats("one", new long[0], 1)
                .node("Identity", "c", "c1")
                .node("Add", "s one", "s1");
        return new TestModel()
                .input("trips", DataType.INT64)
                .input("start", DataType.FLOAT32)
                .output("end", DataType.FLOAT32)
                .node("Loop", "trips - start", "end", "body", body)
                .save(folder, "loop.onnx");
    }
}
