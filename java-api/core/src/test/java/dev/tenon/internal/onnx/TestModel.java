package dev.tenon.internal.onnx;

import dev.tenon.DataType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Writes small ONNX models to files, for tests of engines. */
public final class TestModel {
    private final WireWriter graph = new WireWriter().text(2, "test");

    /** @param dims sizes (numbers) and symbols (texts) */
    public TestModel input(String name, DataType type, Object... dims) {
        graph.message(Protos.INPUT, value(name, type, dims));
        return this;
    }

    /** @param dims sizes (numbers) and symbols (texts) */
    public TestModel output(String name, DataType type, Object... dims) {
        graph.message(Protos.OUTPUT, value(name, type, dims));
        return this;
    }

    /** A sequence of tensors of unknown shape as an output. */
    public TestModel sequenceOutput(String name, DataType type) {
        graph.message(Protos.OUTPUT, sequence(name, type));
        return this;
    }

    /** A sequence of tensors of unknown shape as an input. */
    public TestModel sequenceInput(String name, DataType type) {
        graph.message(Protos.INPUT, sequence(name, type));
        return this;
    }

    /** An output of any rank. */
    public TestModel unrankedOutput(String name, DataType type) {
        graph.message(
                Protos.OUTPUT,
                Protos.message(v -> v.text(1, name)
                        .message(2, Protos.message(t -> t.message(1, Protos.message(x -> x.int64(1, type.code())))))));
        return this;
    }

    public TestModel floats(String name, long[] dims, float... values) {
        graph.message(Protos.INITIALIZER, Protos.floats(name, dims, values));
        return this;
    }

    /** A rank-1 INT64 constant. */
    public TestModel longs(String name, long... values) {
        graph.message(Protos.INITIALIZER, Protos.longs(name, values));
        return this;
    }

    /** A scalar INT64 constant. */
    public TestModel scalar(String name, long value) {
        graph.message(Protos.INITIALIZER, Protos.tensor(name, 7, new long[0], t -> t.packed(7, value)));
        return this;
    }

    /**
     * @param inputs names separated by blanks; {@code -} is an omitted one
     * @param attributes names, each followed by a Long, Integer, Float, String, long[] or TestModel (a body)
     */
    public TestModel node(String op, String inputs, String outputs, Object... attributes) {
        List<WireWriter> written = new ArrayList<>();
        for (int i = 0; i < attributes.length; i += 2) {
            written.add(attribute((String) attributes[i], attributes[i + 1]));
        }
        graph.message(1, Protos.node(op, inputs, outputs, written.toArray(WireWriter[]::new)));
        return this;
    }

    /** Writes the model to a file of the folder. */
    public Path save(Path folder, String fileName) throws IOException {
        Path file = folder.resolve(fileName);
        Files.write(file, Protos.model(graph).toByteArray());
        return file;
    }

    private static WireWriter attribute(String name, Object value) {
        return switch (value) {
            case Integer i -> Protos.intAttribute(name, i);
            case Long l -> Protos.intAttribute(name, l);
            case Float f -> Protos.floatAttribute(name, f);
            case String s -> Protos.attribute(name, 3, a -> a.text(4, s));
            case long[] l -> Protos.attribute(name, 7, a -> a.packed(8, l));
            case TestModel body -> Protos.graphAttribute(name, body.graph);
            default -> throw new IllegalArgumentException("attribute " + name + " is a " + value.getClass());
        };
    }

    private static WireWriter value(String name, DataType type, Object... dims) {
        return Protos.message(v ->
                v.text(1, name).message(2, Protos.message(t -> t.message(1, tensorType(type, dims)))));
    }

    private static WireWriter tensorType(DataType type, Object... dims) {
        WireWriter shape = Protos.message(s -> {
            for (Object d : dims) {
                s.message(1, Protos.message(x -> {
                    if (d instanceof String symbol) {
                        x.text(2, symbol);
                    } else {
                        x.int64(1, ((Number) d).longValue());
                    }
                }));
            }
        });
        return Protos.message(x -> x.int64(1, type.code()).message(2, shape));
    }

    private static WireWriter sequence(String name, DataType type) {
        WireWriter element = Protos.message(t -> t.message(1, Protos.message(x -> x.int64(1, type.code()))));
        return Protos.message(v -> v.text(1, name)
                .message(2, Protos.message(t -> t.message(4, Protos.message(x -> x.message(1, element))))));
    }
}
