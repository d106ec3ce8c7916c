package dev.tenon.cli;

import dev.tenon.Device;
import dev.tenon.Engine;
import dev.tenon.Precision;
import dev.tenon.internal.onnx.ImportOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Options that say where and how a model runs. */
final class DeviceOptions {
    @Option(
            names = "--device",
            paramLabel = "D",
            converter = DeviceConverter.class,
            description = "Where to run: cpu (default), cuda:0, tensorrt:0.")
    @Nullable
    Device device;

    @Option(
            names = "--precision",
            paramLabel = "P",
            description = "How to multiply: fp32 (default), or bf16 to let products round their operands.")
    @Nullable
    Precision precision;

    @Option(names = "--threads", paramLabel = "N", description = "Threads of one run; by default all cores.")
    @Nullable
    Integer threads;

    @Option(names = "--exact", description = "No rewrite that changes results beyond the order of sums.")
    boolean exact;

    @Option(
            names = "--trusted-root",
            paramLabel = "DIR",
            description = "External data inside this folder may be reached through links.")
    @Nullable
    Path trustedRoot;

    /** A builder for a model with these options. */
    Engine.Builder builder(Path model) {
        CliCommand.requireFile(model);
        Engine.Builder b = Engine.builder(model).exact(exact);
        if (device != null) {
            b.device(device);
        }
        if (precision != null) {
            b.precision(precision);
        }
        if (threads != null) {
            if (threads < 1) {
                throw new CliException("--threads " + threads + ": at least 1 was expected");
            }
            b.threads(threads);
        }
        if (trustedRoot != null) {
            b.trustedRoot(trustedRoot);
        }
        return b;
    }

    /** How to read a model apart from building it. */
    ImportOptions importOptions() {
        return trustedRoot == null ? ImportOptions.DEFAULT : ImportOptions.DEFAULT.withTrustedRoot(trustedRoot);
    }

    static final class DeviceConverter implements ITypeConverter<Device> {
        @Override
        public Device convert(String text) {
            try {
                return Device.parse(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
