package dev.tenon.cli;

import dev.tenon.Engine;
import dev.tenon.Session;
import dev.tenon.TensorInfo;
import dev.tenon.internal.cpu.CpuBackend;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxImporter;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tenon build}: compiles a model and saves the engine. */
@Command(name = "build", description = "Compiles a model into an engine file, which opens without compiling again.")
final class BuildCommand extends CliCommand {
    @Parameters(paramLabel = "MODEL", description = "The .onnx model.")
    Path model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "The .tenon file to write.")
    Path output;

    @Mixin
    EngineOptions options;

    @Override
    public Integer call() throws IOException {
        requireFile(model);
        if (Files.isDirectory(output)) {
            throw new CliException(output + ": is a folder; the engine file's name is needed");
        }
        if (Files.exists(output) && Files.isSameFile(model, output)) {
            throw new CliException(output + ": would overwrite the model");
        }
        long start = System.nanoTime();
        Engine engine;
        try (Progress progress = Progress.lines("Building", err())) {
            engine = options.open(model, progress);
        }
        try (engine) {
            if (engine.inputs().stream().allMatch(TensorInfo::isFixed)) {
                // The plan for these shapes packs the weights, and the file then holds them packed.
                try (Session session = engine.newSession()) {
                    session.prepare();
                }
            }
            engine.save(output);
            report(engine, System.nanoTime() - start);
        }
        return DONE;
    }

    private void report(Engine engine, long nanos) throws IOException {
        LayerSummary layers = LayerSummary.of(engine.model().graph());
        int packed = engine.model().backend() instanceof CpuBackend cpu
                ? cpu.packed().size()
                : 0;
        int before = nodesOfModel(layers.nodes());
        long bytes = Files.size(output);
        if (json) {
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("model", model.toString());
            m.put("engine", output.toString());
            m.put("device", engine.model().backend().name());
            m.put("nodes_before", before);
            m.put("nodes_after", layers.nodes());
            m.put("layers", layers.json());
            m.put("packed_weights", packed);
            m.put("seconds", nanos / 1e9);
            m.put("bytes", bytes);
            printJson(m);
            return;
        }
        PrintWriter out = out();
        out.println("layers");
        layers.table().print(out, "  ");
        out.println("nodes     " + before + " in the model, " + layers.nodes() + " in the engine, " + layers.fused()
                + " of them fused");
        out.println("weights   "
                + (packed == 0
                        ? "packed by the first run; for open shapes, --shape or --dim packs them now"
                        : packed + " packed for this processor"));
        out.println("time      " + Text.time(nanos));
        out.println("engine    " + output + ", " + Text.bytes(bytes));
        out.flush();
    }

    /** Nodes of the model as it was; the same as after the build if it was an engine already. */
    private int nodesOfModel(int after) {
        if (!model.getFileName().toString().endsWith(".onnx")) {
            return after;
        }
        try (MemoryScope scope = MemoryScope.shared("model of the build report")) {
            return OnnxImporter.read(model, options.device.importOptions(), scope)
                    .graph()
                    .nodes()
                    .size();
        }
    }
}
