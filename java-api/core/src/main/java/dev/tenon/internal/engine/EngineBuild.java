package dev.tenon.internal.engine;

import dev.tenon.BuildListener;
import dev.tenon.Device;
import dev.tenon.DeviceUnavailableException;
import dev.tenon.Precision;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.internal.cpu.CpuBackend;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.memory.Recording;
import dev.tenon.internal.onnx.ImportOptions;
import dev.tenon.internal.onnx.ImportedModel;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.pass.FoldConstants;
import dev.tenon.internal.pass.Pass;
import dev.tenon.internal.pass.PassContext;
import dev.tenon.internal.pass.Pipeline;
import dev.tenon.internal.pass.Retype;
import dev.tenon.spi.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes compiled models from files. */
public final class EngineBuild {
    /** What the caller chose; the defaults are those of {@link dev.tenon.Engine.Builder}. */
    public static final class Options {
        public Device device = Device.CPU;
        public Precision precision = Precision.FP32;
        public int threads = Lanes.cores();
        public boolean exact;
        public final Map<String, Shape> shapes = new LinkedHashMap<>();
        public @Nullable Path trustedRoot;
        public @Nullable BuildListener listener;

        /** What is chosen now, whatever the caller chooses later. */
        public Options copy() {
            Options o = new Options();
            o.device = device;
            o.precision = precision;
            o.threads = threads;
            o.exact = exact;
            o.shapes.putAll(shapes);
            o.trustedRoot = trustedRoot;
            o.listener = listener;
            return o;
        }
    }

    private EngineBuild() {}

    /** Imports and optimises an ONNX model, or maps an engine file. */
    public static CompiledModel build(Path file, Options options) {
        if (EngineFile.isEngine(file)) {
            return EngineFile.read(file, options);
        }
        BuildEvent event = Recording.isOn() ? new BuildEvent() : null;
        if (event != null) {
            event.begin();
        }
        MemoryScope memory = MemoryScope.shared("weights of " + file.getFileName());
        Progress progress = new Progress(options.listener);
        try {
            progress.phase("import");
            ImportOptions importOptions = options.trustedRoot == null
                    ? ImportOptions.DEFAULT
                    : ImportOptions.DEFAULT.withTrustedRoot(options.trustedRoot);
            ImportedModel imported = OnnxImporter.read(file, importOptions, memory);
            Graph graph = imported.graph();
            List<String> outputNames = graph.outputs().stream().map(Value::name).toList();
            PassContext context = new PassContext(memory, options.exact);
            if (!options.shapes.isEmpty()) {
                graph = Retype.run(graph, fixedTypes(graph, options.shapes), new FoldConstants(memory));
            }
            List<Pass> passes = Pipeline.standard(context);
            progress.total = passes.size() + 2;
            graph = Pipeline.run(graph, passes, context, (pass, g) -> progress.phase(pass.name()));
            progress.phase("compile");
            Backend backend = backend(options);
            CompiledModel model = new CompiledModel(graph, outputNames, imported.metadata(), options, memory, backend);
            try {
                model.warm();
            } catch (RuntimeException | Error e) {
                model.closePlans();
                backend.close();
                throw e;
            }
            if (event != null && event.shouldCommit()) {
                event.file = file.toString();
                event.nodesBefore = imported.graph().nodes().size();
                event.nodesAfter = graph.nodes().size();
                event.commit();
            }
            return model;
        } catch (RuntimeException | Error e) {
            memory.close();
            throw e;
        }
    }

    /** The device of the options. @throws DeviceUnavailableException if it is not there */
    static Backend backend(Options options) {
        if (!options.device.equals(Device.CPU)) {
            throw new DeviceUnavailableException("device " + options.device
                    + " is not available: no module for it is on the class path; this engine can be built for cpu");
        }
        return new CpuBackend(
                Math.min(options.threads, Lanes.cores()), options.exact, options.precision == Precision.BF16);
    }

    static List<ValueType> fixedTypes(Graph graph, Map<String, Shape> shapes) {
        List<ValueType> types = new ArrayList<>();
        Map<String, Shape> left = new LinkedHashMap<>(shapes);
        for (Value v : graph.inputs()) {
            Shape s = left.remove(v.name());
            if (s == null) {
                types.add(v.type());
                continue;
            }
            TensorType t = v.tensorType();
            boolean fits = !t.shape().isRanked() || t.shape().rank() == s.rank();
            for (int i = 0; fits && t.shape().isRanked() && i < s.rank(); i++) {
                fits = !t.shape().dim(i).isKnown() || t.shape().size(i) == s.dim(i);
            }
            if (!fits) {
                throw new ShapeException("input '" + v.name() + "' cannot take shape " + s + "; expected " + t);
            }
            types.add(new TensorType(t.dtype(), SymbolicShape.of(s)));
        }
        if (!left.isEmpty()) {
            throw new ShapeException(
                    "there is no input '" + left.keySet().iterator().next() + "'; the inputs are " + graph.inputs());
        }
        return types;
    }

    /** The graph with other types of its inputs. All else stays, constants and their order too; plans infer types anew. */
    static Graph withInputTypes(Graph graph, List<ValueType> types) {
        Map<Value, Value> typed = new IdentityHashMap<>();
        for (int i = 0; i < types.size(); i++) {
            Value v = graph.inputs().get(i);
            typed.put(v, new Value(v.name(), types.get(i)));
        }
        UnaryOperator<List<Value>> renamed =
                vs -> vs.stream().map(v -> typed.getOrDefault(v, v)).toList();
        List<Node> nodes = graph.nodes().stream()
                .map(n -> new Node(n.op(), renamed.apply(n.inputs()), n.outputs(), n.origin()))
                .toList();
        return new Graph(
                graph.name(), renamed.apply(graph.inputs()), renamed.apply(graph.outputs()), graph.constants(), nodes);
    }

    private static final class Progress {
        private final @Nullable BuildListener listener;
        private int done;
        private int total = 10;

        Progress(@Nullable BuildListener listener) {
            this.listener = listener;
        }

        void phase(String name) {
            if (listener != null) {
                listener.progress(name, done, total);
            }
            done++;
        }
    }
}
