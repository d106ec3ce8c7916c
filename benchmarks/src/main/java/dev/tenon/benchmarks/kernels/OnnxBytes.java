package dev.tenon.benchmarks.kernels;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/** Writes small ONNX models (protobuf messages), with random fp32 weights of a fixed seed. */
public final class OnnxBytes {
    private static final int OPSET = 20;
    private static final int FLOAT = 1;

    private final Message graph = new Message();
    private final SplittableRandom random = new SplittableRandom(7);

    /** A graph input of type fp32. */
    public OnnxBytes input(String name, long... shape) {
        graph.message(11, m -> value(m, name, shape));
        return this;
    }

    /** A graph output of type fp32. */
    public OnnxBytes output(String name, long... shape) {
        graph.message(12, m -> value(m, name, shape));
        return this;
    }

    /** A constant with values in [-0.1, 0.1). */
    public OnnxBytes weight(String name, long... shape) {
        int n = 1;
        for (long d : shape) {
            n = Math.multiplyExact(n, (int) d);
        }
        ByteBuffer data = ByteBuffer.allocate(n * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < n; i++) {
            data.putFloat((float) random.nextDouble(-0.1, 0.1));
        }
        graph.message(5, m -> {
            for (long d : shape) {
                m.number(1, d);
            }
            m.number(2, FLOAT).text(8, name).bytes(9, data.array());
        });
        return this;
    }

    /** A node; its inputs are separated by blanks. */
    public OnnxBytes node(String op, String inputs, String output, Attribute... attributes) {
        graph.message(1, m -> {
            for (String i : inputs.split(" ")) {
                m.text(1, i);
            }
            m.text(2, output).text(3, op + "_" + output).text(4, op);
            for (Attribute a : attributes) {
                m.message(5, a::write);
            }
        });
        return this;
    }

    /** An attribute of integers; a single one is written as a scalar. */
    public record Attribute(String name, boolean list, long... values) {
        public static Attribute of(String name, long value) {
            return new Attribute(name, false, value);
        }

        public static Attribute list(String name, long... values) {
            return new Attribute(name, true, values);
        }

        private void write(Message m) {
            m.text(1, name);
            for (long v : values) {
                m.number(list ? 8 : 3, v);
            }
            m.number(20, list ? 7 : 2);
        }
    }

    /** The whole model. */
    public byte[] model() {
        graph.text(2, "benchmark");
        Message m = new Message();
        m.number(1, 9).message(7, graph).message(8, o -> o.number(2, OPSET));
        return m.out.toByteArray();
    }

    private static void value(Message m, String name, long[] shape) {
        m.text(1, name)
                .message(
                        2,
                        type -> type.message(
                                1,
                                tensor -> tensor.number(1, FLOAT).message(2, s -> {
                                    for (long d : shape) {
                                        s.message(1, dim -> dim.number(1, d));
                                    }
                                })));
    }

    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint((long) field << 3);
            varint(value);
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message bytes(int field, byte[] value) {
            varint((long) field << 3 | 2);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        Message message(int field, Message m) {
            return bytes(field, m.out.toByteArray());
        }

        Message message(int field, Consumer<Message> content) {
            Message m = new Message();
            content.accept(m);
            return message(field, m);
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
}
