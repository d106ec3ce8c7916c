package dev.tenon.cli;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes small ONNX models (protobuf messages) for checks that need a model and have no file. */
final class OnnxBytes {
    private static final int OPSET = 17;
    private static final int FLOAT = 1;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private OnnxBytes() {}

    /** {@code y = x * w}, with x and w of size n x n as inputs. */
    static byte[] matMul(int n) {
        OnnxBytes graph = new OnnxBytes();
        graph.message(1, node("MatMul", "product", "y", "x", "w"));
        graph.text(2, "matmul");
        graph.message(11, value("x", n, n));
        graph.message(11, value("w", n, n));
        graph.message(12, value("y", n, n));
        return model(graph);
    }

    /**
     * {@code y = max(0, x * w + b)} with x of any number of rows.
     *
     * @param w by rows of x's columns
     */
    static byte[] layer(float[][] w, float[] b) {
        float[] flat = new float[w.length * b.length];
        for (int i = 0; i < w.length; i++) {
            System.arraycopy(w[i], 0, flat, i * b.length, b.length);
        }
        OnnxBytes graph = new OnnxBytes();
        graph.message(1, node("MatMul", "product", "xw", "x", "w"));
        graph.message(1, node("Add", "sum", "xwb", "xw", "b"));
        graph.message(1, node("Relu", "activation", "y", "xwb"));
        graph.text(2, "layer");
        graph.message(5, tensor("w", flat, w.length, b.length));
        graph.message(5, tensor("b", b, b.length));
        graph.message(11, value("x", -1, w.length));
        graph.message(12, value("y", -1, b.length));
        return model(graph);
    }

    private static byte[] model(OnnxBytes graph) {
        OnnxBytes opset = new OnnxBytes();
        opset.number(2, OPSET);
        OnnxBytes model = new OnnxBytes();
        model.number(1, 8);
        model.text(2, "tenon");
        model.message(7, graph);
        model.message(8, opset);
        return model.out.toByteArray();
    }

    private static OnnxBytes node(String operator, String name, String output, String... inputs) {
        OnnxBytes node = new OnnxBytes();
        for (String i : inputs) {
            node.text(1, i);
        }
        node.text(2, output);
        node.text(3, name);
        node.text(4, operator);
        return node;
    }

    private static OnnxBytes tensor(String name, float[] values, long... dims) {
        OnnxBytes tensor = new OnnxBytes();
        for (long d : dims) {
            tensor.number(1, d);
        }
        tensor.number(2, FLOAT);
        tensor.text(8, name);
        ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float v : values) {
            raw.putFloat(v);
        }
        tensor.bytes(9, raw.array());
        return tensor;
    }

    /** A float input or output; -1 stands for the symbol N. */
    private static OnnxBytes value(String name, long... dims) {
        OnnxBytes shape = new OnnxBytes();
        for (long d : dims) {
            OnnxBytes dim = new OnnxBytes();
            if (d < 0) {
                dim.text(2, "N");
            } else {
                dim.number(1, d);
            }
            shape.message(1, dim);
        }
        OnnxBytes tensorType = new OnnxBytes();
        tensorType.number(1, FLOAT);
        tensorType.message(2, shape);
        OnnxBytes type = new OnnxBytes();
        type.message(1, tensorType);
        OnnxBytes info = new OnnxBytes();
        info.text(1, name);
        info.message(2, type);
        return info;
    }

    private void message(int field, OnnxBytes message) {
        bytes(field, message.out.toByteArray());
    }

    private void text(int field, String text) {
        bytes(field, text.getBytes(StandardCharsets.UTF_8));
    }

    private void bytes(int field, byte[] bytes) {
        varint(field << 3 | 2);
        varint(bytes.length);
        out.writeBytes(bytes);
    }

    private void number(int field, long value) {
        varint((long) field << 3);
        varint(value);
    }

    private void varint(long value) {
        long v = value;
        while ((v & ~0x7FL) != 0) {
            out.write((int) (v & 0x7F | 0x80));
            v >>>= 7;
        }
        out.write((int) v);
    }
}
