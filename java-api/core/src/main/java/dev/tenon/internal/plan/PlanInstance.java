package dev.tenon.internal.plan;

import dev.tenon.CancelledException;
import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.reference.Interpreter;
import dev.tenon.spi.Executable;
import dev.tenon.spi.StepInfo;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A plan with memory to run in: arenas, tensors between segments, and bound inputs and outputs. One run at a time.
 */
public final class PlanInstance implements AutoCloseable {
    private static final int MAX_CONTINUATIONS = 8;
    /**
     * Memory of earlier runs' results that may stay: to end a shared scope takes a handshake with all threads, some 50 us, which
     * is more than many a run.
     */
    private static final long MAX_OLD_RESULTS = 256 << 10;

    private final PlanCache cache;
    private final BodyRunner bodies;
    private final Plan plan;
    private final MemoryScope memory;
    private final Executable.Instance[] programs;
    private final Map<Value, Datum> data = new IdentityHashMap<>();
    private final int threads;
    private final Executable.@Nullable Instance only;
    private final LinkedHashMap<List<ValueType>, PlanInstance> continuations = new LinkedHashMap<>(16, 0.75f, true);
    private volatile @Nullable PlanInstance running;
    private @Nullable MemoryScope results;
    private volatile boolean cancelled;
    private @Nullable Profile profile;
    private @Nullable List<Datum> outputs;

    /** An instance of the plan for these input types. It holds the plan until it is closed. */
    public PlanInstance(PlanCache cache, List<ValueType> types) {
        this.cache = cache;
        this.plan = cache.acquire(types);
        this.bodies = new BodyRunner(plan.bodies());
        this.threads = plan.threads();
        this.memory = MemoryScope.shared("session of " + plan.graph().name());
        this.programs = new Executable.Instance[plan.segments().size()];
        data.putAll(plan.graph().constants());
        try {
            for (int i = 0; i < programs.length; i++) {
                if (plan.segments().get(i) instanceof Plan.DeviceSegment d) {
                    programs[i] = d.program().newInstance(memory);
                }
            }
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
        this.only = programs.length == 1 && plan.rest() == null ? programs[0] : null;
    }

    public Plan plan() {
        return plan;
    }

    /** Memory that lives as long as this instance. */
    public MemoryScope memory() {
        return memory;
    }

    /** Sets graph input {@code i}. Type and shape are those of the plan. */
    public void bindInput(int i, Datum datum) {
        Value v = plan.graph().inputs().get(i);
        data.put(v, datum);
        if (datum instanceof Tensor t && t.type() != DataType.STRING) {
            bindPrograms(v, t);
        }
    }

    /**
     * Lets graph output {@code i} be written to this tensor.
     *
     * @return false if that cannot be, since the output is also an input or its shape depends on data; copy it after the run
     */
    public boolean bindOutput(int i, Tensor t) {
        if (plan.rest() != null) {
            return false;
        }
        Value v = plan.graph().outputs().get(i);
        if (!plan.stored().contains(v) || plan.graph().outputs().indexOf(v) != i) {
            return false;
        }
        place(v, t);
        return true;
    }

    /** Threads that a run keeps busy. */
    public int threads() {
        return threads;
    }

    private void place(Value v, Tensor t) {
        data.put(v, t);
        bindPrograms(v, t);
    }

    private void bindPrograms(Value v, Tensor t) {
        for (int s = 0; s < programs.length; s++) {
            if (!(plan.segments().get(s) instanceof Plan.DeviceSegment d)) {
                continue;
            }
            int in = d.inputs().indexOf(v);
            if (in >= 0) {
                programs[s].bindInput(in, t.segment());
            }
            int out = d.outputs().indexOf(v);
            if (out >= 0) {
                programs[s].bindOutput(out, t.segment());
            }
        }
    }

    /** Gives memory to every stored value that has none yet. Must come before the first run, after the bindings. */
    public void prepare() {
        for (Value v : plan.stored()) {
            if (!data.containsKey(v)) {
                TensorType t = v.tensorType();
                if (t.dtype() != DataType.STRING) {
                    place(v, Tensor.allocate(memory, t.dtype(), t.shape().concrete()));
                }
            }
        }
    }

    /** Forgets an earlier {@link #cancel}. A caller that sees no request after this and runs will not miss one. */
    public void arm() {
        cancelled = false;
        for (Executable.Instance p : programs) {
            if (p != null) {
                p.arm();
            }
        }
    }

    /** Runs the plan on the bound inputs. Stops at once if {@link #cancel} came after {@link #arm}. */
    public void run() {
        if (only != null && profile == null) {
            only.run();
            return;
        }
        runSegments();
    }

    private void runSegments() {
        MemoryScope old = results;
        if (old == null || old.liveBytes() > MAX_OLD_RESULTS) {
            results = MemoryScope.shared("results of " + plan.graph().name());
            if (old != null) {
                old.close();
            }
        }
        for (int s = 0; s < programs.length; s++) {
            if (cancelled) {
                throw new CancelledException("the run was cancelled before step " + s + " of " + programs.length);
            }
            switch (plan.segments().get(s)) {
                case Plan.DeviceSegment d -> runProgram(s, d.program());
                case Plan.HostStep h -> runHost(h.node());
            }
        }
        outputs = plan.rest() == null ? null : runRest(plan.rest());
    }

    /** Is told what each part of a run took. */
    @FunctionalInterface
    public interface Profile {
        /** One native step, or one node that the host evaluated. */
        void step(StepInfo step, long nanos);
    }

    /** As {@link #run}, timing every step. */
    public void runProfiled(Profile profile) {
        this.profile = profile;
        try {
            runSegments();
        } finally {
            this.profile = null;
        }
    }

    private void runProgram(int s, Executable program) {
        Profile p = profile;
        if (p == null) {
            programs[s].run();
            return;
        }
        long[] nanos = new long[program.steps().size()];
        programs[s].runProfiled(nanos);
        for (int i = 0; i < nanos.length; i++) {
            p.step(program.steps().get(i), nanos[i]);
        }
    }

    private void runHost(Node n) {
        Profile p = profile;
        long start = System.nanoTime();
        Evaluation.cancellable(() -> cancelled, () -> evaluate(n));
        if (p != null) {
            p.step(
                    new StepInfo(n.op().name(), n.origin(), "host reference", "", 0, 0, 0, 1),
                    System.nanoTime() - start);
        }
    }

    private void evaluate(Node n) {
        List<@Nullable Datum> arguments = new ArrayList<>(n.inputs().size());
        for (Value v : n.inputs()) {
            arguments.add(v.isAbsent() ? null : data.get(v));
        }
        List<Datum> out = Interpreter.evaluate(n, arguments, results, bodies::run);
        for (int i = 0; i < n.outputs().size(); i++) {
            Value v = n.output(i);
            if (v.isAbsent()) {
                continue;
            }
            if (out.get(i) instanceof Tensor t
                    && t.type() != DataType.STRING
                    && data.get(v) instanceof Tensor place
                    && plan.stored().contains(v)) {
                place.copyFrom(t);
            } else {
                data.put(v, out.get(i));
            }
        }
    }

    private List<Datum> runRest(Plan.Continuation rest) {
        Graph g = rest.graph();
        List<Datum> inputs = g.inputs().stream().map(data::get).toList();
        List<ValueType> types = new ArrayList<>();
        for (int i = 0; i < inputs.size(); i++) {
            types.add(
                    inputs.get(i) instanceof Tensor t
                            ? TensorType.of(t.type(), t.shape())
                            : g.inputs().get(i).type());
        }
        PlanInstance instance = continuations.get(types);
        if (instance == null) {
            instance = new PlanInstance(rest.cache(), types);
            continuations.put(types, instance);
            if (continuations.size() > MAX_CONTINUATIONS) {
                continuations.pollFirstEntry().getValue().close();
            }
        }
        for (int i = 0; i < inputs.size(); i++) {
            instance.bindInput(i, inputs.get(i));
        }
        instance.prepare();
        instance.arm();
        running = instance;
        try {
            if (cancelled) {
                throw new CancelledException("the run was cancelled before the part whose shapes depend on data");
            }
            instance.profile = profile;
            instance.run();
        } finally {
            instance.profile = null;
            running = null;
        }
        List<Datum> out = new ArrayList<>();
        for (int i = 0; i < g.outputs().size(); i++) {
            out.add(instance.output(i));
        }
        return out;
    }

    /** Graph output {@code i} of the last run; valid until the next run or close. */
    public Datum output(int i) {
        if (outputs != null) {
            return outputs.get(i);
        }
        return data.get(plan.graph().outputs().get(i));
    }

    /** Asks a run in progress to stop at the next step. */
    public void cancel() {
        cancelled = true;
        for (Executable.Instance p : programs) {
            if (p != null) {
                p.cancel();
            }
        }
        bodies.cancel();
        PlanInstance r = running;
        if (r != null) {
            r.cancel();
        }
    }

    @Override
    public void close() {
        continuations.values().forEach(PlanInstance::close);
        bodies.close();
        for (Executable.Instance p : programs) {
            if (p != null) {
                p.close();
            }
        }
        if (results != null) {
            results.close();
        }
        memory.close();
        cache.release(plan);
    }

    /** The concrete shape of stored output {@code i}, or null if it depends on data. */
    public @Nullable Shape outputShape(int i) {
        Value v = plan.rest() == null ? plan.graph().outputs().get(i) : null;
        return v != null && v.type() instanceof TensorType t && t.isConcrete()
                ? t.shape().concrete()
                : null;
    }
}
