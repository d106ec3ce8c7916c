package dev.tenon.internal.engine;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.plan.PlanCache;
import dev.tenon.internal.plan.Planner;
import dev.tenon.spi.Backend;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * An optimised graph with its weights, bound to a device: what an engine holds. Thread-safe.
 */
public final class CompiledModel implements AutoCloseable {
    private final Graph graph;
    private final List<String> outputNames;
    private final EngineBuild.Options options;
    private final Map<String, String> metadata;
    private final MemoryScope memory;
    private final Backend backend;
    private final PlanCache plans;
    private final List<Value> keyed;

    /**
     * @param outputNames the model's names of the graph's outputs; a graph output may be another value by now
     * @param memory what the constants live in; closed with this model
     * @param backend closed with this model
     */
    public CompiledModel(
            Graph graph,
            List<String> outputNames,
            Map<String, String> metadata,
            EngineBuild.Options options,
            MemoryScope memory,
            Backend backend) {
        this.graph = graph;
        this.outputNames = List.copyOf(outputNames);
        this.options = options;
        this.metadata = Map.copyOf(metadata);
        this.memory = memory;
        this.backend = backend;
        this.keyed = new ArrayList<>(graph.constants().keySet());
        Map<Value, Long> keys = new IdentityHashMap<>();
        for (int i = 0; i < keyed.size(); i++) {
            keys.put(keyed.get(i), (long) i);
        }
        this.plans = new Planner(backend, v -> keys.getOrDefault(v, -1L), options.exact).cache(graph);
    }

    public Graph graph() {
        return graph;
    }

    public List<String> outputNames() {
        return outputNames;
    }

    /** How the engine was made; not to be changed. */
    public EngineBuild.Options options() {
        return options;
    }

    /** The model's own metadata. */
    public Map<String, String> metadata() {
        return metadata;
    }

    public Backend backend() {
        return backend;
    }

    /** The engine's constants; the number of one, as the backend knows it, is its position. */
    public List<Value> constants() {
        return keyed;
    }

    /** The value of a constant. */
    public Tensor constant(Value v) {
        return graph.constants().get(v);
    }

    /** The plans made so far, and the way to more. */
    public PlanCache plans() {
        return plans;
    }

    @Override
    public void close() {
        plans.close();
        backend.close();
        memory.close();
    }
}
