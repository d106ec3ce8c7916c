package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import dev.tenon.internal.memory.MemoryScope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/** Builds ONNX messages for tests, valid or not. Field numbers are those of {@code onnx.proto}. */
final class Protos {
    static final int INITIALIZER = 5;
    static final int INPUT = 11;
    static final int OUTPUT = 12;
    static final int VALUE_INFO = 13;
    static final int SPARSE_INITIALIZER = 15;

    private Protos() {}

    static WireWriter message(Consumer<WireWriter> fields) {
        WireWriter w = new WireWriter();
        fields.accept(w);
        return w;
    }

    /** A model of the newest IR version and opset 17 around a graph. */
    static WireWriter model(WireWriter graph) {
        return message(m -> m.int64(1, 8).text(2, "tests").message(7, graph).message(8, opset("", 17)));
    }

    static WireWriter opset(String domain, long version) {
        return message(o -> o.text(1, domain).int64(2, version));
    }

    static WireWriter node(String op, String inputs, String outputs, WireWriter... attributes) {
        return node(op, "", inputs, outputs, attributes);
    }

    /** @param inputs names separated by blanks; {@code -} is an omitted one */
    static WireWriter node(String op, String domain, String inputs, String outputs, WireWriter... attributes) {
        return message(n -> {
            for (String i : names(inputs)) {
                n.textEvenIfEmpty(1, i);
            }
            for (String o : names(outputs)) {
                n.textEvenIfEmpty(2, o);
            }
            n.text(3, op + "_" + outputs.replace(' ', '_')).text(4, op).text(7, domain);
            for (WireWriter a : attributes) {
                n.message(5, a);
            }
        });
    }

    private static String[] names(String list) {
        return list.isEmpty() ? new String[0] : list.replace("-", "").split(" ", -1);
    }

    /** @param field the field of the value @param type the code of the attribute's type */
    static WireWriter attribute(String name, int type, Consumer<WireWriter> value) {
        return message(a -> {
            a.text(1, name);
            value.accept(a);
            a.int64(20, type);
        });
    }

    static WireWriter floatAttribute(String name, float value) {
        return attribute(name, 1, a -> a.float32(2, value));
    }

    static WireWriter intAttribute(String name, long value) {
        return attribute(name, 2, a -> a.int64(3, value));
    }

    static WireWriter graphAttribute(String name, WireWriter graph) {
        return attribute(name, 5, a -> a.message(6, graph));
    }

    /** A graph of nodes; add inputs and outputs with their field numbers. */
    static WireWriter graph(WireWriter... nodes) {
        return message(g -> {
            for (WireWriter n : nodes) {
                g.message(1, n);
            }
            g.text(2, "test");
        });
    }

    /** @param dims sizes; -1 gives a dimension named {@code N} */
    static WireWriter value(String name, DataType type, long... dims) {
        WireWriter shape = message(s -> {
            for (long d : dims) {
                s.message(1, d < 0 ? message(x -> x.text(2, "N")) : message(x -> x.int64(1, d)));
            }
        });
        return message(v -> v.text(1, name)
                .message(
                        2,
                        message(t -> t.message(
                                1, message(x -> x.int64(1, type.code()).message(2, shape))))));
    }

    static WireWriter untyped(String name) {
        return message(v -> v.text(1, name));
    }

    static WireWriter tensor(String name, long type, long[] dims, Consumer<WireWriter> data) {
        return message(t -> {
            t.packed(1, dims).int64(2, type).text(8, name);
            data.accept(t);
        });
    }

    static WireWriter floats(String name, long[] dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float v : values) {
            raw.putFloat(v);
        }
        return tensor(name, 1, dims, t -> t.bytes(9, raw.array()));
    }

    static WireWriter longs(String name, long... values) {
        return tensor(name, 7, new long[] {values.length}, t -> t.packed(7, values));
    }

    /** relu(x) with input and output declared: the smallest sensible graph. */
    static WireWriter reluGraph() {
        return graph(node("Relu", "x", "y"))
                .message(INPUT, value("x", DataType.FLOAT32, 2))
                .message(OUTPUT, value("y", DataType.FLOAT32, 2));
    }

    static MemorySegment segment(MemoryScope memory, byte[] bytes) {
        MemorySegment s = memory.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, s, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return s.asReadOnly();
    }

    static ImportedModel read(WireWriter model, MemoryScope memory) {
        return read(model.toByteArray(), memory);
    }

    static ImportedModel read(byte[] model, MemoryScope memory) {
        return OnnxImporter.read(segment(memory, model), "test.onnx", ImportOptions.DEFAULT, memory);
    }
}
