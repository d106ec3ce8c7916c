package dev.tenon.cli;

import dev.tenon.Datum;
import dev.tenon.Engine;
import dev.tenon.OptionalDatum;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.cpu.CpuBackend;
import dev.tenon.internal.engine.EngineBuild;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.onnx.ImportOptions;
import dev.tenon.internal.onnx.OnnxImporter;
import dev.tenon.internal.plan.PlanCache;
import dev.tenon.internal.plan.PlanInstance;
import dev.tenon.internal.plan.Planner;
import dev.tenon.internal.reference.Agreement;
import dev.tenon.internal.reference.Interpreter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All values of an engine's optimised graph in one run: the graph is planned anew with every value as an output, so that the
 * device's own kernels compute each of them and none is overwritten.
 */
final class LayerValues implements AutoCloseable {
    private final Graph graph;
    private final List<Datum> inputs;
    private final CpuBackend backend;
    private final PlanCache plans;
    private final PlanInstance instance;

    private LayerValues(Graph graph, List<Datum> inputs, CpuBackend backend, PlanCache plans, PlanInstance instance) {
        this.graph = graph;
        this.inputs = inputs;
        this.backend = backend;
        this.plans = plans;
        this.instance = instance;
    }

    /** Runs the engine's graph on these inputs. */
    static LayerValues of(Engine engine, Map<String, Datum> values) {
        Graph optimised = engine.model().graph();
        if (optimised.constants().values().stream().anyMatch(Tensor::isPacked)) {
            throw new CliException("this engine file keeps its weights packed for the device only;"
                    + " --layers needs the .onnx model");
        }
        Set<Value> all = new LinkedHashSet<>();
        for (Node n : optimised.nodes()) {
            n.outputs().stream().filter(v -> !v.isAbsent()).forEach(all::add);
        }
        Graph graph = new Graph(
                optimised.name(), optimised.inputs(), List.copyOf(all), optimised.constants(), optimised.nodes());
        List<Datum> inputs =
                engine.inputs().stream().map(i -> values.get(i.name())).toList();
        List<ValueType> types = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            types.add(
                    inputs.get(i) instanceof Tensor t
                            ? TensorType.of(t.type(), t.shape())
                            : graph.inputs().get(i).type());
        }
        EngineBuild.Options o = engine.model().options();
        CpuBackend backend = new CpuBackend(o.threads, o.exact, o.precision == dev.tenon.Precision.BF16);
        try {
            PlanCache plans = new Planner(backend, v -> -1, o.exact).cache(graph);
            PlanInstance instance = new PlanInstance(plans, types);
            for (int i = 0; i < inputs.size(); i++) {
                instance.bindInput(i, inputs.get(i));
            }
            instance.prepare();
            instance.run();
            return new LayerValues(graph, inputs, backend, plans, instance);
        } catch (RuntimeException | Error e) {
            backend.close();
            throw e;
        }
    }

    /** Compares with the values that the interpreter computes of a model as it is; values are matched by name. */
    List<CompareCommand.Compared> compareWith(Path model, Agreement agreement, Progress progress) {
        try (MemoryScope scope = MemoryScope.shared("reference of " + model.getFileName())) {
            Graph reference = graphOf(model, scope);
            if (reference.inputs().size() != inputs.size()) {
                throw new CliException(model + " has inputs " + reference.inputs() + ", not " + graph.inputs());
            }
            Map<String, Datum> expected = interpret(reference, scope, progress);
            List<CompareCommand.Compared> results = new ArrayList<>();
            for (int i = 0; i < graph.outputs().size(); i++) {
                Value v = graph.outputs().get(i);
                Datum e = expected.get(v.name());
                Datum a = instance.output(i);
                if (e != null && a != null && sameForm(e, a)) {
                    results.add(new CompareCommand.Compared(
                            v.name(),
                            TensorText.type(a),
                            graph.producer(v).map(n -> n.op().name()).orElse(""),
                            Difference.of(e, a, agreement)));
                }
            }
            if (results.isEmpty()) {
                throw new CliException("the models have no value of the same name: " + model + " is another model");
            }
            return results;
        }
    }

    private static Graph graphOf(Path model, MemoryScope scope) {
        CliCommand.requireFile(model);
        if (!model.getFileName().toString().endsWith(".onnx")) {
            throw new CliException(model + ": with --layers, B must be the .onnx model, which the interpreter can run");
        }
        return OnnxImporter.read(model, ImportOptions.DEFAULT, scope).graph();
    }

    /** Passes may lay a value out anew (a transposition moved, a precision changed) and keep its name: those are left out. */
    private static boolean sameForm(Datum e, Datum a) {
        return switch (e) {
            case Tensor t ->
                a instanceof Tensor u && t.type() == u.type() && t.shape().equals(u.shape());
            case TensorSequence s -> a instanceof TensorSequence;
            case OptionalDatum o -> a instanceof OptionalDatum;
        };
    }

    private Map<String, Datum> interpret(Graph reference, MemoryScope scope, Progress progress) {
        Map<Value, Datum> values = new HashMap<>(reference.constants());
        for (int i = 0; i < inputs.size(); i++) {
            values.put(reference.inputs().get(i), inputs.get(i));
        }
        Map<String, Datum> named = new HashMap<>();
        int done = 0;
        for (Node n : reference.nodes()) {
            progress.progress(n.op().name(), done++, reference.nodes().size());
            List<Datum> arguments = new ArrayList<>();
            n.inputs().forEach(v -> arguments.add(v.isAbsent() ? null : values.get(v)));
            List<Datum> results = Interpreter.evaluate(n, arguments, scope);
            for (int i = 0; i < n.outputs().size(); i++) {
                Value v = n.output(i);
                if (!v.isAbsent()) {
                    values.put(v, results.get(i));
                    named.put(v.name(), results.get(i));
                }
            }
        }
        return named;
    }

    @Override
    public void close() {
        instance.close();
        plans.close();
        backend.close();
    }
}
