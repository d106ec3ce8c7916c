package dev.tenon.cli;

import dev.tenon.BuildListener;
import dev.tenon.Engine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    /** The engine of a model with these options. */
    Engine open(Path model, @Nullable BuildListener listener) {
        Engine.Builder b = device.builder(model).progress(listener);
        shapes.forEach(s -> b.shape(s.name(), s.dims()));
        return b.build();
    }
}
