package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.engine.Json;
import dev.tenon.internal.ffi.NativeLibrary;
import dev.tenon.internal.memory.MemoryScope;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import picocli.CommandLine;

/** Runs commands in this process and keeps what they print. */
record Cli(int code, String out, String err) {
    static final float[][] WEIGHTS = {{1, -1}, {2, 0.5f}, {-3, 4}};
    static final float[] BIAS = {0.5f, -1};

    static Cli run(Object... arguments) {
        String[] args = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine(args);
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        // Both are set for the command itself too.
        line.getSubcommands().values().forEach(c -> {
            c.setOut(new PrintWriter(out, true));
            c.setErr(new PrintWriter(err, true));
        });
        int code = line.execute(args);
        line.getOut().flush();
        line.getErr().flush();
        return new Cli(code, out.toString(), err.toString());
    }

    /** What was printed, as JSON. Throws if it is not one JSON value. */
    @SuppressWarnings("unchecked")
    Map<String, Object> json() {
        return (Map<String, Object>) Json.read(out);
    }

    List<String> lines() {
        return out.lines().toList();
    }

    /** A model that computes {@code y = max(0, x * w + b)}. */
    static Path layerModel(Path folder) throws IOException {
        return Files.write(folder.resolve("model.onnx"), OnnxBytes.layer(WEIGHTS, BIAS));
    }

    /** A tensor that lives as long as {@code scope}. */
    static Tensor floats(MemoryScope scope, float[] values, long... dims) {
        Tensor t = Tensor.allocate(scope, DataType.FLOAT32, Shape.of(dims));
        t.copyFrom(values);
        return t;
    }

    static Path root() {
        return Path.of(System.getProperty("tenon.root", "../.."));
    }

    static void needsNativeLibrary() {
        Assumptions.assumeTrue(
                NativeLibrary.isLoaded(), () -> NativeLibrary.status().message());
    }
}
