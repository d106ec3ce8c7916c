package dev.tenon.cli;

import dev.tenon.BuildListener;
import dev.tenon.Engine;
import dev.tenon.TensorInfo;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxImporter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of the commands that make an engine of a model which the user names. */
final class EngineOptions {
    @Mixin
    DeviceOptions device;

    @Option(
            names = "--shape",
            paramLabel = "NAME=1x3x224x224",
            converter = NamedShape.Converter.class,
            description = "Fixes an input's shape. May be given once for each input.")
    List<NamedShape> shapes = new ArrayList<>();

    @Option(
            names = "--dim",
            paramLabel = "NAME=N",
            description = "Size of a named open dimension, for all inputs that have it.")
    Map<String, Long> dims = new LinkedHashMap<>();

    /** The engine of a model with these options. */
    Engine open(Path model, @Nullable BuildListener listener) {
        Engine.Builder b = device.builder(model).progress(listener);
        shapes.forEach(s -> b.shape(s.name(), s.dims()));
        if (!dims.isEmpty()) {
            fixInputs(model, b);
        }
        return b.build();
    }

    /** Fixes the inputs whose sizes all are known now; others get the sizes when they are filled. */
    private void fixInputs(Path model, Engine.Builder b) {
        Set<String> fixed = shapes.stream().map(NamedShape::name).collect(Collectors.toSet());
        Set<String> names = new TreeSet<>();
        for (TensorInfo i : inputsOf(model)) {
            List<String> sizes = i.dims() == null ? List.of() : i.dims();
            // Dimensions without a name of their own are numbered after a question mark.
            sizes.stream()
                    .filter(d -> !Character.isDigit(d.charAt(0)) && !d.startsWith("?"))
                    .forEach(names::add);
            long[] shape = sizes.stream()
                    .mapToLong(d -> Character.isDigit(d.charAt(0)) ? Long.parseLong(d) : dims.getOrDefault(d, -1L))
                    .toArray();
            boolean open = Arrays.stream(shape).anyMatch(d -> d < 0);
            if (i.dims() != null && !open && !i.isFixed() && !fixed.contains(i.name())) {
                b.shape(i.name(), shape);
            }
        }
        for (Map.Entry<String, Long> d : dims.entrySet()) {
            if (!names.contains(d.getKey())) {
                throw new CliException("--dim " + d.getKey() + ": the named open dimensions of the model are " + names);
            }
            if (d.getValue() < 0) {
                throw new CliException("--dim " + d.getKey() + "=" + d.getValue() + ": a size cannot be negative");
            }
        }
    }

    private List<TensorInfo> inputsOf(Path model) {
        if (!model.getFileName().toString().endsWith(".onnx")) {
            try (Engine e = device.builder(model).build()) {
                return e.inputs();
            }
        }
        try (MemoryScope scope = MemoryScope.shared("inputs of " + model.getFileName())) {
            return OnnxImporter.read(model, device.importOptions(), scope).graph().inputs().stream()
                    .map(EngineOptions::info)
                    .toList();
        }
    }

    private static TensorInfo info(Value v) {
        if (!(v.type() instanceof TensorType t)) {
            return new TensorInfo(v.name(), null, null);
        }
        return new TensorInfo(
                v.name(),
                t.dtype(),
                t.shape().isRanked()
                        ? t.shape().dims().stream().map(Object::toString).toList()
                        : null);
    }
}
