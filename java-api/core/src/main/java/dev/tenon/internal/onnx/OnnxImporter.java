package dev.tenon.internal.onnx;

import dev.tenon.ModelFormatException;
import dev.tenon.ShapeException;
import dev.tenon.TenonException;
import dev.tenon.UnsupportedOperatorException;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.OnnxModel.OpsetDef;
import dev.tenon.internal.onnx.OnnxModel.ValueDef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads ONNX models. The file is mapped; weights become views of the map and are never copied to the heap.
 *
 * <p>Initializers are constants, also where the graph lists them among its inputs: what newer versions of the format call a
 * default value cannot be replaced at run time. Model-local functions are inlined. Subgraphs become closed graphs: what they
 * capture is an extra input of their node, or a constant of their own.
 */
public final class OnnxImporter {
    private static final int NEWEST_IR_VERSION = 14;

    private OnnxImporter() {}

    /**
     * The model in a file. Its weights live as long as {@code memory}; external data are looked for beside the file.
     *
     * @throws ModelFormatException if the file is no valid model
     * @throws UnsupportedOperatorException naming all operators that have no rule
     * @throws ShapeException if a node's inputs break a rule of its operator
     */
    public static ImportedModel read(Path file, ImportOptions options, MemoryScope memory) {
        try {
            // Opening a pipe would wait for a writer.
            if (Files.exists(file) && !Files.isRegularFile(file)) {
                throw new ModelFormatException(file + " is not a regular file");
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                Path folder = file.toAbsolutePath().getParent();
                ExternalData external = new ExternalData(folder, options.trustedRoot(), memory);
                return read(memory.map(channel), file.getFileName().toString(), external, options, memory);
            }
        } catch (IOException e) {
            throw new ModelFormatException("cannot read model " + file + ": " + e, e);
        }
    }

    /**
     * The model in memory, which must stay valid as long as the result is used. It may not refer to external data.
     *
     * @param name how messages name the model
     */
    public static ImportedModel read(MemorySegment bytes, String name, ImportOptions options, MemoryScope memory) {
        return read(bytes, name, null, options, memory);
    }

    private static ImportedModel read(
            MemorySegment bytes,
            String name,
            @Nullable ExternalData external,
            ImportOptions options,
            MemoryScope memory) {
        OnnxModel model = OnnxReader.model(WireReader.of(bytes, name, options.limits()));
        try {
            return build(model, name, external, options, memory);
        } catch (UnsupportedOperatorException e) {
            throw e;
        } catch (ShapeException e) {
            throw new ShapeException(prefixed(name, e), e);
        } catch (ModelFormatException e) {
            throw new ModelFormatException(prefixed(name, e), e);
        }
    }

    private static String prefixed(String name, TenonException e) {
        String message = e.getMessage();
        return message.startsWith(name) ? message : name + ": " + message;
    }

    private static ImportedModel build(
            OnnxModel model, String name, @Nullable ExternalData external, ImportOptions options, MemoryScope memory) {
        if (model.irVersion() < 1 || model.irVersion() > NEWEST_IR_VERSION) {
            throw new ModelFormatException(
                    "IR version " + model.irVersion() + " is not known; expected 1 to " + NEWEST_IR_VERSION);
        }
        // Versions of the format before 3 know only the first operator set.
        Opsets opsets = new Opsets(
                "the model",
                model.opsets().isEmpty() && model.irVersion() < 3 ? List.of(new OpsetDef("", 1)) : model.opsets());
        if (opsets.isEmpty()) {
            throw new ModelFormatException("the model imports no opset; opset_import is missing");
        }
        Functions functions = new Functions(model.functions());
        OperatorCheck.run(
                name, model.graph(), functions, opsets, options.limits().depth());
        TensorData data = new TensorData(memory, external, options.limits());
        Graph graph = GraphImport.main(
                new ImportContext(name, functions, options.limits(), data, memory), model.graph(), opsets);
        return new ImportedModel(
                graph,
                model.irVersion(),
                model.producerName(),
                model.producerVersion(),
                model.domain(),
                model.modelVersion(),
                model.doc(),
                opsets.byDomain(),
                model.metadata(),
                docs(model));
    }

    private static Map<String, String> docs(OnnxModel model) {
        Map<String, String> docs = new LinkedHashMap<>();
        for (List<ValueDef> values :
                List.of(model.graph().inputs(), model.graph().outputs())) {
            for (ValueDef v : values) {
                if (!v.doc().isEmpty()) {
                    docs.put(v.name(), v.doc());
                }
            }
        }
        return docs;
    }
}
