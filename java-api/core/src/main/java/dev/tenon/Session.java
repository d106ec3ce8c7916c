package dev.tenon;

import dev.tenon.internal.engine.CompiledModel;
import dev.tenon.internal.engine.Lanes;
import dev.tenon.internal.engine.RecordedRun;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import dev.tenon.internal.memory.LeakGuard;
import dev.tenon.internal.memory.MemoryScope;
import dev.tenon.internal.memory.Recording;
import dev.tenon.internal.plan.Plan;
import dev.tenon.internal.plan.PlanInstance;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A place to run an engine: input and output tensors and working memory. Cheap beside the engine; one run at a time. A
 * second thread that calls {@link #run} waits for the first; {@link #close} waits for a run in flight.
 *
 * <p>Inputs are either tensors of the session ({@link #input(String)}) or the caller's own ({@link #bind}); likewise
 * outputs. Once inputs are bound, {@link #run} allocates nothing and makes one native call, until a shape changes.
 */
public final class Session implements AutoCloseable {
    /** Working memory is kept for as many shapes as this; the one not used for longest goes first. */
    private static final int MAX_INSTANCES = 8;

    private final Engine engine;
    private final CompiledModel model;
    private final Resources resources;
    private final ReentrantLock lock;
    private final MemoryScope memory;
    private final LeakGuard guard;
    private final Datum[] inputs;
    private final MemorySegment[] buffers;
    private final Tensor[] boundOutputs;
    private final Tensor[] copiedOutputs;
    private final LinkedHashMap<List<ValueType>, PlanInstance> instances;
    private volatile @Nullable PlanInstance current;
    private boolean stale = true;
    private boolean copies;
    private int pinned;
    private volatile boolean cancelled;

    Session(Engine engine, CompiledModel model) {
        this.engine = engine;
        this.model = model;
        this.inputs = new Datum[engine.inputs().size()];
        this.buffers = new MemorySegment[inputs.length];
        this.boundOutputs = new Tensor[engine.outputs().size()];
        this.copiedOutputs = new Tensor[engine.outputs().size()];
        this.resources =
                new Resources(MemoryScope.shared("inputs of " + model.graph().name()));
        this.lock = resources.lock;
        this.memory = resources.memory;
        this.instances = resources.instances;
        Resources own = resources;
        this.guard = LeakGuard.watch(this, "session of " + model.graph().name(), own::close, true);
        if (engine.inputs().stream().allMatch(i -> i.type() != null && i.isFixed())) {
            try {
                for (TensorInfo i : engine.inputs()) {
                    input(i.name());
                }
                prepare();
            } catch (RuntimeException | Error e) {
                guard.close();
                resources.close();
                throw e;
            }
        }
    }

    /**
     * The input's tensor, owned by the session. Write to it before {@link #run}.
     *
     * @throws ShapeException if the input's shape is open and none has been given yet
     */
    public Tensor input(String name) {
        int i = engine.inputIndex(name);
        lock.lock();
        try {
            if (inputs[i] instanceof Tensor t) {
                return t;
            }
            return input(name, engine.inputs().get(i).shape().dims());
        } finally {
            lock.unlock();
        }
    }

    /** The input's tensor under this shape, owned by the session; what it held before is lost if the shape is new. */
    public Tensor input(String name, long... shape) {
        int i = engine.inputIndex(name);
        Shape s = Shape.of(shape);
        lock.lock();
        try {
            ensureOpen();
            if (inputs[i] instanceof Tensor t && t.shape().equals(s)) {
                return t;
            }
            DataType type = engine.inputs().get(i).type();
            if (type == null) {
                throw new ShapeException("input '" + name + "' is not a tensor; bind a sequence or an optional");
            }
            Tensor t = own(i, type, s);
            set(i, t);
            return t;
        } finally {
            lock.unlock();
        }
    }

    /** A tensor in the session's memory for input {@code i}, which grows in doublings and is kept for smaller shapes. */
    private Tensor own(int i, DataType type, Shape shape) {
        if (type == DataType.STRING) {
            return Tensor.allocate(memory, type, shape);
        }
        long bytes = type.byteSize(shape.elements());
        if (buffers[i] == null || buffers[i].byteSize() < bytes) {
            long grown = buffers[i] == null ? bytes : Math.max(bytes, 2 * buffers[i].byteSize());
            buffers[i] = memory.allocate(grown);
        }
        return Tensor.of(buffers[i], type, shape);
    }

    /**
     * Uses the caller's tensor for an input or an output, without a copy. It must stay alive while the session runs.
     *
     * @throws ShapeException if the type or shape does not fit, or the engine has no input or output of this name
     */
    public void bind(String name, Datum datum) {
        lock.lock();
        try {
            ensureOpen();
            int in = engine.findInput(name);
            if (in >= 0) {
                set(in, datum);
                return;
            }
            int out = engine.outputIndex(name);
            if (!(datum instanceof Tensor t)) {
                throw new ShapeException("output '" + name + "' can only be bound to a tensor");
            }
            checkNative(name, t);
            if (t.type() != DataType.STRING && t.segment().isReadOnly()) {
                throw new ShapeException("output '" + name + "' was given read-only memory");
            }
            boundOutputs[out] = t;
            stale = true;
        } finally {
            lock.unlock();
        }
    }

    private static void checkNative(String name, Tensor t) {
        if (t.type() != DataType.STRING && !t.segment().isNative()) {
            throw new ShapeException("'" + name + "' was given memory of the Java heap; expected native memory");
        }
    }

    private void set(int i, Datum datum) {
        TensorInfo info = engine.inputs().get(i);
        if (datum instanceof Tensor t) {
            if (t.type() != info.type() || !info.accepts(t.shape())) {
                throw new ShapeException("input '" + info.name() + "' was given " + t + "; expected " + info);
            }
            checkNative(info.name(), t);
        } else if (info.type() != null) {
            throw new ShapeException("input '" + info.name() + "' was given a " + datum + "; expected " + info);
        }
        boolean sameShape = current != null
                && inputs[i] instanceof Tensor old
                && datum instanceof Tensor t
                && t.shape().equals(old.shape());
        inputs[i] = datum;
        PlanInstance c = current;
        if (sameShape && !stale && c != null) {
            c.bindInput(i, datum);
        } else {
            stale = true;
        }
    }

    /**
     * Makes the plan for the bound shapes, if it is not there yet, so that the next {@link #run} has nothing left to build.
     *
     * @throws ShapeException if an input is missing or shapes do not fit together
     */
    public void prepare() {
        lock.lock();
        try {
            ensureOpen();
            List<ValueType> types = inputTypes();
            PlanInstance instance = instances.get(types);
            if (instance == null) {
                instance = new PlanInstance(model.plans(), types);
                instances.put(types, instance);
                if (instances.size() > MAX_INSTANCES) {
                    PlanInstance oldest = instances.pollFirstEntry().getValue();
                    if (oldest == current) {
                        current = null;
                    }
                    oldest.close();
                }
            }
            for (int i = 0; i < inputs.length; i++) {
                instance.bindInput(i, inputs[i]);
            }
            copies = false;
            for (int i = 0; i < boundOutputs.length; i++) {
                copiedOutputs[i] = null;
                if (boundOutputs[i] != null) {
                    bindOutput(instance, i, boundOutputs[i]);
                }
            }
            instance.prepare();
            current = instance;
            stale = false;
        } finally {
            lock.unlock();
        }
    }

    private void bindOutput(PlanInstance instance, int i, Tensor t) {
        Shape shape = instance.outputShape(i);
        TensorInfo info = engine.outputs().get(i);
        if (t.type() != info.type() || (shape != null && !shape.equals(t.shape()))) {
            throw new ShapeException("output '" + info.name() + "' was given " + t + "; expected " + info.type()
                    + (shape == null ? "" : "[" + shape + "]"));
        }
        if (!instance.bindOutput(i, t)) {
            copiedOutputs[i] = t;
            copies = true;
        }
    }

    private List<ValueType> inputTypes() {
        List<ValueType> types = new ArrayList<>(inputs.length);
        Map<String, String> symbols = new HashMap<>();
        for (int i = 0; i < inputs.length; i++) {
            TensorInfo info = engine.inputs().get(i);
            if (inputs[i] == null && info.type() != null && info.isFixed()) {
                inputs[i] = own(i, info.type(), info.shape());
            }
            switch (inputs[i]) {
                case null -> throw new ShapeException("input '" + info.name() + "' is not set; expected " + info);
                case Tensor t -> {
                    checkSymbols(info, t.shape(), symbols);
                    types.add(TensorType.of(t.type(), t.shape()));
                }
                default -> types.add(model.graph().inputs().get(i).type());
            }
        }
        return types;
    }

    private static void checkSymbols(TensorInfo info, Shape shape, Map<String, String> symbols) {
        if (info.dims() == null) {
            return;
        }
        for (int d = 0; d < info.dims().size(); d++) {
            String symbol = info.dims().get(d);
            if (Character.isDigit(symbol.charAt(0)) || symbol.startsWith("?")) {
                continue;
            }
            String here = shape.dim(d) + " in input '" + info.name() + "'";
            String there = symbols.putIfAbsent(symbol, here);
            if (there != null && !there.substring(0, there.indexOf(' ')).equals(Long.toString(shape.dim(d)))) {
                throw new ShapeException("dimension " + symbol + " is " + there + " but " + here);
            }
        }
    }

    /**
     * Runs the model on the bound inputs.
     *
     * @throws ShapeException if an input is missing, shapes do not fit together, or an index in the data is out of range
     * @throws CancelledException if {@link #cancel} was called meanwhile
     * @throws IllegalStateException if the session is closed
     */
    public void run() {
        run(null);
    }

    /** As {@link #run}, telling what each step took; slower than a run, since each step is timed. For Tenon's own tools. */
    @SuppressWarnings("exports")
    public void runProfiled(PlanInstance.Profile profile) {
        run(profile);
    }

    private void run(PlanInstance.@Nullable Profile profile) {
        lock.lock();
        try {
            ensureOpen();
            cancelled = false;
            pinned = 0;
            try {
                pinBound();
                if (stale) {
                    prepare();
                }
                PlanInstance c = current;
                c.arm();
                if (cancelled) {
                    throw new CancelledException("the run was cancelled before its first step");
                }
                runInstance(c, profile);
                if (copies) {
                    copyOutputs(c);
                }
            } finally {
                unpinBound();
            }
        } finally {
            lock.unlock();
        }
    }

    private void runInstance(PlanInstance c, PlanInstance.@Nullable Profile profile) {
        if (profile == null && Recording.isOn() && RecordedRun.isWanted()) {
            RecordedRun.run(model.graph().name(), c);
            return;
        }
        int cores = Lanes.enter(c.threads());
        try {
            if (profile == null) {
                c.run();
            } else {
                c.runProfiled(profile);
            }
        } finally {
            Lanes.leave(cores);
        }
    }

    private void copyOutputs(PlanInstance c) {
        for (int i = 0; i < copiedOutputs.length; i++) {
            if (copiedOutputs[i] != null && c.output(i) instanceof Tensor t) {
                copiedOutputs[i].copyFrom(t);
            }
        }
    }

    /** Native code knows only addresses: no tensor may lose its memory while a run uses it. */
    private void pinBound() {
        for (int i = 0; i < inputs.length; i++, pinned++) {
            if (inputs[i] instanceof Tensor t && !t.pin()) {
                throw gone(engine.inputs().get(i));
            }
        }
        for (int i = 0; i < boundOutputs.length; i++, pinned++) {
            if (boundOutputs[i] != null && !boundOutputs[i].pin()) {
                throw gone(engine.outputs().get(i));
            }
        }
    }

    private static IllegalStateException gone(TensorInfo info) {
        return new IllegalStateException("the tensor bound to '" + info.name()
                + "' is closed or belongs to another thread; bind one that this thread may use");
    }

    private void unpinBound() {
        for (int i = 0; i < pinned; i++) {
            if (i < inputs.length) {
                if (inputs[i] instanceof Tensor t) {
                    t.unpin();
                }
            } else if (boundOutputs[i - inputs.length] != null) {
                boundOutputs[i - inputs.length].unpin();
            }
        }
    }

    /**
     * The output of the last run. Its memory is the session's (or the bound tensor's): valid until the next run.
     *
     * @throws IllegalStateException before the first run
     */
    public Tensor output(String name) {
        if (outputDatum(name) instanceof Tensor t) {
            return t;
        }
        throw new ShapeException("output '" + name + "' is not a tensor; read it with outputDatum");
    }

    /** The output of the last run, whatever its kind. */
    public Datum outputDatum(String name) {
        int i = engine.outputIndex(name);
        lock.lock();
        try {
            ensureOpen();
            if (copiedOutputs[i] != null) {
                return copiedOutputs[i];
            }
            PlanInstance c = current;
            Datum d = c == null ? null : c.output(i);
            if (d == null) {
                throw new IllegalStateException("output '" + name + "' is not there yet: call run() first");
            }
            return d;
        } finally {
            lock.unlock();
        }
    }

    /** Asks a run in progress on another thread to stop; it ends in a {@link CancelledException}. Does nothing otherwise. */
    public void cancel() {
        cancelled = true;
        PlanInstance c = current;
        if (c != null) {
            c.cancel();
        }
    }

    /** Drops bound tensors of the caller, so that a pooled session keeps none alive. */
    void unbind() {
        lock.lock();
        try {
            java.util.Arrays.fill(inputs, null);
            java.util.Arrays.fill(boundOutputs, null);
            stale = true;
        } finally {
            lock.unlock();
        }
    }

    /** The plan in use, or null before the first run with open shapes. */
    @SuppressWarnings("exports")
    public @Nullable Plan plan() {
        PlanInstance c = current;
        return c == null ? null : c.plan();
    }

    private void ensureOpen() {
        if (resources.closed) {
            throw new IllegalStateException("the session is closed");
        }
    }

    Resources resources() {
        return resources;
    }

    /** Waits for a run in flight, then frees all memory of the session. May be called twice. */
    @Override
    public void close() {
        guard.close();
        resources.close();
        engine.forget(this);
    }

    /** What a session must free; apart from the session itself, so that a lost session can still be tidied away. */
    static final class Resources {
        private final ReentrantLock lock = new ReentrantLock();
        private final MemoryScope memory;
        private final LinkedHashMap<List<ValueType>, PlanInstance> instances = new LinkedHashMap<>(16, 0.75f, true);
        private boolean closed;

        private Resources(MemoryScope memory) {
            this.memory = memory;
        }

        /** Returns false if it was closed already. */
        boolean close() {
            lock.lock();
            try {
                if (closed) {
                    return false;
                }
                closed = true;
                instances.values().forEach(PlanInstance::close);
                instances.clear();
                memory.close();
                return true;
            } finally {
                lock.unlock();
            }
        }
    }
}
