package dev.tenon.internal.plan;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Interpreter;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Runs bodies of control flow within one plan instance: those with heavy work by plans of their own, the others by the
 * interpreter, which has less to set up.
 */
final class BodyRunner implements AutoCloseable {
    private static final int MAX_INSTANCES = 8;

    private final BodyPlans plans;
    private final Map<Graph, Boolean> heavy = new IdentityHashMap<>();
    private final Map<Graph, LinkedHashMap<List<ValueType>, PlanInstance>> instances = new IdentityHashMap<>();
    private volatile @Nullable PlanInstance running;

    BodyRunner(BodyPlans plans) {
        this.plans = plans;
    }

    /** The body's outputs for these inputs, in memory of {@code scope}. */
    List<Datum> run(Graph body, List<Datum> inputs, MemoryScope scope) {
        if (!heavy.computeIfAbsent(body, BodyPlans::isHeavy)) {
            return Interpreter.run(body, inputs, scope);
        }
        List<ValueType> types = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            types.add(
                    inputs.get(i) instanceof Tensor t
                            ? TensorType.of(t.type(), t.shape())
                            : body.inputs().get(i).type());
        }
        PlanInstance instance = instance(body, types);
        for (int i = 0; i < inputs.size(); i++) {
            instance.bindInput(i, inputs.get(i));
        }
        instance.prepare();
        running = instance;
        try {
            instance.run();
        } finally {
            running = null;
        }
        List<Datum> outputs = new ArrayList<>();
        for (int i = 0; i < body.outputs().size(); i++) {
            outputs.add(copy(instance.output(i), scope));
        }
        return outputs;
    }

    private PlanInstance instance(Graph body, List<ValueType> types) {
        LinkedHashMap<List<ValueType>, PlanInstance> own =
                instances.computeIfAbsent(body, b -> new LinkedHashMap<>(16, 0.75f, true));
        PlanInstance instance = own.get(types);
        if (instance == null) {
            instance = new PlanInstance(plans.of(body), types);
            own.put(types, instance);
            if (own.size() > MAX_INSTANCES) {
                own.pollFirstEntry().getValue().close();
            }
        }
        return instance;
    }

    /** The next run of the body overwrites its tensors, and what it gives may be what it is given then. */
    private static Datum copy(Datum d, MemoryScope scope) {
        if (d instanceof Tensor t) {
            Tensor c = Tensor.allocate(scope, t.type(), Shape.of(t.shape().dims()));
            c.copyFrom(t);
            return c;
        }
        return d;
    }

    void cancel() {
        PlanInstance r = running;
        if (r != null) {
            r.cancel();
        }
    }

    @Override
    public void close() {
        instances.values().forEach(byTypes -> byTypes.values().forEach(PlanInstance::close));
        instances.clear();
    }
}
