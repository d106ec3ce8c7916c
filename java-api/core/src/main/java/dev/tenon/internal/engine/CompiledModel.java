package dev.tenon.internal.engine;

import dev.tenon.Shape;
import dev.tenon.TenonException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
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
    /** What an open dimension other than the batch is expected to be. */
    private static final long EXPECTED_SIZE = 128;

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
        this.plans = new Planner(backend, v -> keys.getOrDefault(v, -1L), options.exact).cacheOfOptimised(graph);
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

    /**
     * Makes the plan that a session will ask for, if the model fixes all shapes: weights are packed then, and sessions are
     * cheap.
     */
    public void warm() {
        List<ValueType> types = graph.inputs().stream().map(Value::type).toList();
        if (types.stream().allMatch(t -> t instanceof TensorType tensor && tensor.isConcrete())) {
            plans.release(plans.acquire(types));
        }
    }

    /**
     * As {@link #warm}, and where shapes are open, for one item of a batch and {@link #EXPECTED_SIZE} in every other open
     * dimension, if such a run is possible.
     */
    public void warmAsExpected() {
        if (!plans.plans().isEmpty()) {
            return;
        }
        List<ValueType> types = new ArrayList<>();
        for (Value v : graph.inputs()) {
            if (!(v.type() instanceof TensorType t) || !t.shape().isRanked()) {
                return;
            }
            long[] dims = new long[t.shape().rank()];
            for (int i = 0; i < dims.length; i++) {
                dims[i] = t.shape().dim(i).isKnown() ? t.shape().size(i) : i == 0 ? 1 : EXPECTED_SIZE;
            }
            types.add(TensorType.of(t.dtype(), Shape.of(dims)));
        }
        try {
            plans.release(plans.acquire(types));
        } catch (TenonException e) {
            // The sizes were a guess; the engine then packs when it meets the first real ones.
            System.getLogger("dev.tenon").log(System.Logger.Level.DEBUG, "no plan for expected shapes", e);
        }
    }

    /** The plans made so far, and the way to more. */
    public PlanCache plans() {
        return plans;
    }

    /** Drops all plans; for a model that is given up before anybody ran it. */
    void closePlans() {
        plans.close();
    }

    @Override
    public void close() {
        plans.close();
        backend.close();
        memory.close();
    }
}
