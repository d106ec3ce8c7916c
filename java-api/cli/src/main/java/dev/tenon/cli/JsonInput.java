package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.EngineFormatException;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.engine.Json;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Nested JSON arrays of numbers, booleans or texts as a tensor of the type that an input wants. */
final class JsonInput {
    private JsonInput() {}

    /** The value of a JSON file. */
    static Object parse(Path file) throws IOException {
        try {
            return Json.read(Files.readString(file));
        } catch (EngineFormatException e) {
            throw new CliException(file + ": " + e.getMessage(), e);
        } catch (MalformedInputException e) {
            throw new CliException(file + ": not UTF-8 text", e);
        }
    }

    /** The tensor in a file for this input. */
    static Tensor read(Path file, TensorInfo input, DataType type, MemoryScope scope) throws IOException {
        Object value = parse(file);
        List<Long> dims = new ArrayList<>();
        List<Object> elements = new ArrayList<>();
        for (Object v = value; v instanceof List<?> l; v = l.isEmpty() ? null : l.getFirst()) {
            dims.add((long) l.size());
        }
        flatten(file, value, dims, 0, elements);
        Shape shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
        // A single example may leave out the outermost dimension of 1.
        if (input.dims() != null
                && input.dims().size() == shape.rank() + 1
                && !isOver(input.dims().getFirst())) {
            dims.addFirst(1L);
            shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
        }
        Tensor t = Tensor.allocate(scope, type, shape);
        for (int i = 0; i < elements.size(); i++) {
            set(file, t, i, elements.get(i));
        }
        return t;
    }

    private static boolean isOver(String dim) {
        return Character.isDigit(dim.charAt(0)) && !dim.equals("1");
    }

    private static void flatten(Path file, Object v, List<Long> dims, int depth, List<Object> out) {
        if (depth == dims.size()) {
            if (v instanceof List<?>) {
                throw new CliException(file + ": arrays are nested to different depths");
            }
            out.add(v);
            return;
        }
        if (!(v instanceof List<?> l) || l.size() != dims.get(depth)) {
            throw new CliException(file + ": arrays at depth " + depth + " differ in length; the first has "
                    + dims.get(depth) + " elements");
        }
        l.forEach(e -> flatten(file, e, dims, depth + 1, out));
    }

    private static void set(Path file, Tensor t, int i, Object v) {
        switch (v) {
            case String s when t.type() == DataType.STRING -> t.setString(i, s);
            case Boolean b when t.type() == DataType.BOOL -> t.setBoolean(i, b);
            case Long l when t.type() != DataType.STRING && !t.type().isComplex() -> t.setLong(i, l);
            case Double d when t.type().isFloat() -> t.setDouble(i, d);
            // How JSON writers that cannot leave such values out spell them.
            case String s when t.type().isFloat() && isSpecial(s) -> t.setDouble(i, Double.parseDouble(s));
            case null, default ->
                throw new CliException(
                        file + ": element " + i + " is " + Json.write(v) + "; expected a value for " + t.type());
        }
    }

    private static boolean isSpecial(String s) {
        return s.equals("NaN") || s.equals("Infinity") || s.equals("-Infinity");
    }
}
