package dev.tenon.cli;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorInfo;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxTensorFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that say what goes into a model. */
final class InputOptions {
    @Option(
            names = {"-i", "--input"},
            paramLabel = "[NAME=]FILE",
            description =
                    "An input's value: .npy, .pb (TensorProto), .json (nested arrays), .png, .jpg or .wav. The name"
                            + " may be left out if the model has one input.")
    List<String> inputs = new ArrayList<>();

    @Option(names = "--random", description = "Fill all other inputs with random values.")
    boolean random;

    @Option(names = "--zeros", description = "Fill all other inputs with zeros.")
    boolean zeros;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of --random; by default 1.")
    long seed = 1;

    @Option(
            names = "--resize",
            paramLabel = "HOW",
            description =
                    "How images change size: area, bilinear or nearest; by default what the model says, else area.")
    @Nullable
    Resize resize;

    @Option(
            names = "--mean",
            split = ",",
            paramLabel = "X",
            description = "Is taken from image levels, one a channel or one.")
    double[] mean = {};

    @Option(names = "--std", split = ",", paramLabel = "X", description = "Divides image levels, one a channel or one.")
    double[] std = {};

    @Option(
            names = "--scale",
            paramLabel = "X",
            description = "Factor of image levels from 0 to 255 before --mean and --std; by default 1/255, for integer"
                    + " inputs 1.")
    @Nullable
    Double scale;

    /** Where each input's value comes from, by name. */
    private Map<String, Path> files(Engine engine) {
        Map<String, Path> files = new LinkedHashMap<>();
        for (String text : inputs) {
            String name = null;
            for (TensorInfo i : engine.inputs()) {
                if (text.startsWith(i.name() + "=") && (name == null || i.name().length() > name.length())) {
                    name = i.name();
                }
            }
            String file = name == null ? text : text.substring(name.length() + 1);
            if (name == null) {
                int equals = text.indexOf('=');
                if (engine.inputs().size() != 1 || equals > 0 && !Files.exists(Path.of(text))) {
                    throw new CliException("--input " + text + ": "
                            + (equals > 0
                                    ? "there is no input '" + text.substring(0, equals) + "'"
                                    : "the model has " + engine.inputs().size() + " inputs, so a name is needed")
                            + "; the inputs are " + list(engine.inputs()));
                }
                name = engine.inputs().getFirst().name();
            }
            if (files.put(name, Path.of(file)) != null) {
                throw new CliException("--input names '" + name + "' twice");
            }
        }
        return files;
    }

    private static String list(List<TensorInfo> infos) {
        return String.join(", ", infos.stream().map(TensorInfo::toString).toList());
    }

    /**
     * A value for every input of the engine, in memory of {@code scope}.
     *
     * @param dims sizes of named dimensions
     * @param fillByDefault whether inputs without a file get random values even if no option says so
     */
    Map<String, Datum> read(Engine engine, Map<String, Long> dims, boolean fillByDefault, MemoryScope scope)
            throws IOException {
        Map<String, Path> files = files(engine);
        Map<String, Datum> values = new LinkedHashMap<>();
        ImageSettings settings = null;
        for (int i = 0; i < engine.inputs().size(); i++) {
            TensorInfo info = engine.inputs().get(i);
            Path file = files.get(info.name());
            if (file == null) {
                continue;
            }
            CliCommand.requireFile(file);
            if (settings == null) {
                settings = ImageSettings.of(engine.metadata()).with(resize, mean, std, scale);
            }
            values.put(info.name(), read(file, engine, i, settings, scope));
        }
        fill(engine, values, dims, fillByDefault, scope);
        return values;
    }

    private static Datum read(Path file, Engine engine, int index, ImageSettings settings, MemoryScope scope)
            throws IOException {
        TensorInfo info = engine.inputs().get(index);
        String name = file.getFileName().toString();
        String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        if (ending.equals("pb")) {
            return OnnxTensorFile.read(
                    file, engine.model().graph().inputs().get(index).type(), scope);
        }
        DataType type = info.type();
        if (type == null) {
            throw new CliException(
                    "input '" + info.name() + "' is not a tensor; its value can only come from a .pb file");
        }
        return switch (ending) {
            case "npy" -> NpyFile.read(file, scope);
            case "json" -> JsonInput.read(file, info, type, scope);
            case "png", "jpg", "jpeg", "bmp", "gif" -> ImageInput.read(file, info, type, settings, scope);
            case "wav" -> WavInput.read(file, info, type, scope);
            default ->
                throw new CliException(file + ": files ending in ." + ending
                        + " are not read; expected .npy, .pb, .json, .png, .jpg or .wav");
        };
    }

    private void fill(
            Engine engine,
            Map<String, Datum> values,
            Map<String, Long> dims,
            boolean fillByDefault,
            MemoryScope scope) {
        List<TensorInfo> missing = engine.inputs().stream()
                .filter(i -> !values.containsKey(i.name()))
                .toList();
        if (missing.isEmpty()) {
            return;
        }
        if (!random && !zeros && !fillByDefault) {
            throw new CliException("no value for " + list(missing)
                    + "; give --input NAME=FILE, or fill them with --random or --zeros");
        }
        Map<String, Long> symbols = symbols(engine, values);
        dims.forEach(symbols::putIfAbsent);
        SplittableRandom source = new SplittableRandom(seed);
        for (TensorInfo info : missing) {
            if (info.type() == null) {
                throw new CliException(
                        "input '" + info.name() + "' is not a tensor and cannot be filled; give it as .pb");
            }
            Tensor t = Tensor.allocate(scope, info.type(), shape(info, symbols));
            if (!zeros) {
                fill(t, source);
            }
            values.put(info.name(), t);
        }
    }

    /** Sizes of named dimensions, as the given inputs have them. */
    private static Map<String, Long> symbols(Engine engine, Map<String, Datum> values) {
        Map<String, Long> symbols = new HashMap<>();
        for (TensorInfo info : engine.inputs()) {
            if (values.get(info.name()) instanceof Tensor t && info.dims() != null && info.accepts(t.shape())) {
                for (int d = 0; d < info.dims().size(); d++) {
                    symbols.put(info.dims().get(d), t.shape().dim(d));
                }
            }
        }
        return symbols;
    }

    /** The input's shape with open sizes filled in: as other inputs have them, and 1 for an open first dimension (the batch). */
    private static Shape shape(TensorInfo info, Map<String, Long> symbols) {
        if (info.dims() == null) {
            throw openShape(info);
        }
        long[] dims = new long[info.dims().size()];
        for (int i = 0; i < dims.length; i++) {
            String d = info.dims().get(i);
            if (Character.isDigit(d.charAt(0))) {
                dims[i] = Long.parseLong(d);
            } else if (symbols.containsKey(d)) {
                dims[i] = symbols.get(d);
            } else if (i == 0) {
                dims[i] = 1;
                symbols.put(d, 1L);
            } else {
                throw openShape(info);
            }
        }
        return Shape.of(dims);
    }

    private static CliException openShape(TensorInfo info) {
        return new CliException("the shape of input " + info + " is open; fix it with --dim NAME=N or --shape "
                + info.name() + "=1x...");
    }

    /** Floats from -1 to 1, bytes over their range, other integers 0 or 1, which are valid indices almost everywhere. */
    private static void fill(Tensor t, SplittableRandom source) {
        long n = t.type() == DataType.STRING || t.type().isComplex() ? 0 : t.size();
        for (long i = 0; i < n; i++) {
            if (t.type().isFloat()) {
                t.setDouble(i, source.nextDouble(-1, 1));
            } else if (t.type().bits() == 8 && t.type() != DataType.BOOL) {
                t.setLong(i, source.nextInt(256));
            } else {
                t.setLong(i, source.nextInt(2));
            }
        }
    }
}
