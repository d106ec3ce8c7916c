package dev.tenon.internal.onnx;

import dev.tenon.Datum;
import dev.tenon.ModelFormatException;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A folder in the layout of ONNX's backend tests: {@code model.onnx}, {@code test_data_set_N/input_M.pb} and
 * {@code output_M.pb}, and perhaps {@code data.json} with its own tolerances.
 */
public record OnnxTestCase(Path folder) {
    /** The cases in a folder: itself, or all below it, in the order of their paths. */
    public static List<OnnxTestCase> find(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(f -> f.getFileName().toString().equals("model.onnx"))
                    .map(f -> new OnnxTestCase(f.getParent()))
                    .sorted((a, b) -> a.folder.compareTo(b.folder))
                    .toList();
        }
    }

    /** The folder's name, with its parent's as the group: {@code node/test_add}. */
    public String name() {
        Path absolute = folder.toAbsolutePath().normalize();
        return absolute.getParent().getFileName() + "/" + absolute.getFileName();
    }

    public Path model() {
        return folder.resolve("model.onnx");
    }

    /** The folders with inputs and outputs, in order. */
    public List<Path> dataSets() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.getFileName().toString().startsWith("test_data_set_"))
                    .sorted((a, b) -> Integer.compare(number(a), number(b)))
                    .toList();
        }
    }

    private static int number(Path dataSet) {
        return Integer.parseInt(dataSet.getFileName().toString().substring("test_data_set_".length()));
    }

    /** The values for the graph's inputs in a data set. */
    public static List<Datum> inputs(Path dataSet, List<Value> graphInputs, MemoryScope memory) {
        return values(dataSet, "input", graphInputs, memory);
    }

    /** The values that a data set expects of the graph's outputs. */
    public static List<Datum> outputs(Path dataSet, List<Value> graphOutputs, MemoryScope memory) {
        return values(dataSet, "output", graphOutputs, memory);
    }

    private static List<Datum> values(Path dataSet, String kind, List<Value> values, MemoryScope memory) {
        List<Datum> out = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            Path file = dataSet.resolve(kind + "_" + i + ".pb");
            if (!Files.exists(file)) {
                throw new ModelFormatException(file + " is missing; the graph's " + kind + " " + i + " is '"
                        + values.get(i).name() + "'");
            }
            out.add(OnnxTensorFile.read(file, values.get(i).type(), memory));
        }
        return out;
    }

    /** A tolerance that the case sets for itself. @param key {@code rtol} or {@code atol} */
    public OptionalDouble tolerance(String key) throws IOException {
        Path file = folder.resolve("data.json");
        if (!Files.exists(file)) {
            return OptionalDouble.empty();
        }
        Matcher m = Pattern.compile("\"" + key + "\"\\s*:\\s*([-+0-9.eE]+)").matcher(Files.readString(file));
        return m.find() ? OptionalDouble.of(Double.parseDouble(m.group(1))) : OptionalDouble.empty();
    }
}
