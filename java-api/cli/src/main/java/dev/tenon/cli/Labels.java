package dev.tenon.cli;

import dev.tenon.EngineFormatException;
import dev.tenon.Tensor;
import dev.tenon.internal.engine.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Names of classes, and the highest ranked classes of an output. */
record Labels(List<String> names) {
    private static final int MAX_ROWS = 16;

    /** One class of a row of an output. */
    record Ranked(int index, String label, double score) {}

    /** The labels in a file (a JSON array, or one on each line), else those in the model's metadata, else none. */
    static Labels of(@Nullable Path file, Map<String, String> metadata) throws IOException {
        if (file != null) {
            CliCommand.requireFile(file);
            String text = Files.readString(file);
            return new Labels(
                    text.stripLeading().startsWith("[")
                            ? list(JsonInput.parse(file), file.toString())
                            : text.lines()
                                    .map(String::strip)
                                    .filter(s -> !s.isEmpty())
                                    .toList());
        }
        String text = metadata.get("labels");
        if (text == null) {
            return new Labels(List.of());
        }
        try {
            return new Labels(list(Json.read(text), "the model's metadata 'labels'"));
        } catch (EngineFormatException e) {
            throw new CliException("the model's metadata 'labels': " + e.getMessage(), e);
        }
    }

    private static List<String> list(Object value, String where) {
        if (value instanceof List<?> l) {
            return l.stream().map(String::valueOf).toList();
        }
        throw new CliException(where + ": a JSON array of class names was expected");
    }

    /** The top classes of each row of a tensor's last axis, up to a few rows; empty if it cannot be scores. */
    List<List<Ranked>> top(Tensor scores, int n) {
        int rank = scores.shape().rank();
        if (rank == 0 || !scores.type().isFloat() || scores.size() == 0) {
            return List.of();
        }
        int classes = Math.toIntExact(scores.shape().dim(-1));
        List<List<Ranked>> rows = new ArrayList<>();
        for (long row = 0; row < Math.min(MAX_ROWS, scores.size() / classes); row++) {
            long start = row * classes;
            rows.add(IntStream.range(0, classes)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -scores.getDouble(start + i)))
                    .limit(n)
                    .map(i -> new Ranked(i, name(i, classes), scores.getDouble(start + i)))
                    .toList());
        }
        return rows;
    }

    /** The label of a class; empty unless there is one for each. */
    private String name(int index, int classes) {
        return names.size() == classes ? names.get(index) : "";
    }
}
