package dev.tenon;

import dev.tenon.internal.engine.CompiledModel;
import dev.tenon.internal.engine.EngineBuild;
import dev.tenon.internal.engine.EngineFile;
import dev.tenon.internal.engine.Lanes;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.memory.LeakGuard;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A model compiled for a device. Immutable and thread-safe: one copy of the weights serves any number of sessions.
 *
 * <pre>{@code
 * try (Engine engine = Engine.load(Path.of("resnet50.onnx")); Session session = engine.newSession()) {
 *     session.input("input").copyFrom(pixels);
 *     session.run();
 *     float[] scores = session.output("output").toFloatArray();
 * }
 * }</pre>
 */
public final class Engine implements AutoCloseable {
    private final CompiledModel model;
    private final List<TensorInfo> inputs;
    private final List<TensorInfo> outputs;
    private final Map<String, Integer> inputIndex = new HashMap<>();
    private final Map<String, Integer> outputIndex = new HashMap<>();
    private final Resources resources;
    private final LeakGuard guard;
    private final Deque<Session> pool = new ArrayDeque<>();

    private Engine(CompiledModel model) {
        this.model = model;
        this.resources = new Resources(model);
        Resources own = resources;
        this.guard = LeakGuard.watch(this, "engine of " + model.graph().name(), own::close, true);
        List<TensorInfo> in = new ArrayList<>();
        for (Value v : model.graph().inputs()) {
            inputIndex.put(v.name(), in.size());
            in.add(info(v.name(), v));
        }
        List<TensorInfo> out = new ArrayList<>();
        for (int i = 0; i < model.outputNames().size(); i++) {
            String name = model.outputNames().get(i);
            outputIndex.put(name, i);
            out.add(info(name, model.graph().outputs().get(i)));
        }
        this.inputs = List.copyOf(in);
        this.outputs = List.copyOf(out);
    }

    private static TensorInfo info(String name, Value v) {
        return switch (v.type()) {
            case TensorType t ->
                new TensorInfo(
                        name,
                        t.dtype(),
                        t.shape().isRanked()
                                ? t.shape().dims().stream()
                                        .map(Object::toString)
                                        .toList()
                                : null);
            case SequenceType s -> new TensorInfo(name, null, null);
            case OptionalType o -> new TensorInfo(name, null, null);
        };
    }

    /**
     * An engine from a file: an {@code .onnx} model is compiled in memory with the default options, a {@code .tenon} engine
     * is mapped.
     *
     * @throws ModelFormatException if the model is damaged or breaks the standard
     * @throws UnsupportedOperatorException if it needs operators that Tenon does not have
     * @throws EngineFormatException if an engine file does not fit this version or processor
     */
    public static Engine load(Path file) {
        return builder(file).build();
    }

    /** A builder with the default options. */
    public static Builder builder(Path file) {
        return new Builder(file);
    }

    /** The inputs that a run needs, in the model's order. */
    public List<TensorInfo> inputs() {
        return inputs;
    }

    /** The outputs that a run gives, in the model's order. */
    public List<TensorInfo> outputs() {
        return outputs;
    }

    /** The model's own metadata, such as labels. */
    public Map<String, String> metadata() {
        return model.metadata();
    }

    /** A new session. Close it, or the engine closes it. @throws IllegalStateException if the engine is closed */
    public Session newSession() {
        resources.inUse.lock();
        try {
            synchronized (resources) {
                ensureOpen();
            }
            Session s = new Session(this, model);
            synchronized (resources) {
                resources.sessions.add(s.resources());
            }
            return s;
        } finally {
            resources.inUse.unlock();
        }
    }

    /**
     * Runs the model on these inputs with a session of an internal pool. Any number of threads may call it.
     *
     * @return fresh tensors by output name; close them after use
     */
    public Map<String, Tensor> run(Map<String, Tensor> arguments) {
        for (TensorInfo o : outputs) {
            if (o.type() == null) {
                throw new ShapeException("output '" + o.name() + "' is not a tensor; call runData");
            }
        }
        Map<String, Tensor> results = new LinkedHashMap<>();
        runData(arguments).forEach((name, d) -> results.put(name, (Tensor) d));
        return results;
    }

    /** As {@link #run}, for models with sequences or optionals among their inputs or outputs. */
    public Map<String, Datum> runData(Map<String, ? extends Datum> arguments) {
        Session s = take();
        Map<String, Datum> results = new LinkedHashMap<>();
        try {
            for (String name : arguments.keySet()) {
                inputIndex(name);
            }
            for (TensorInfo i : inputs) {
                if (!arguments.containsKey(i.name())) {
                    throw new ShapeException("input '" + i.name() + "' is not set; expected " + i);
                }
            }
            arguments.forEach(s::bind);
            s.run();
            for (TensorInfo o : outputs) {
                results.put(o.name(), copy(s.outputDatum(o.name())));
            }
            give(s);
            return results;
        } catch (RuntimeException | Error e) {
            s.close();
            results.values().forEach(Engine::discard);
            throw e;
        }
    }

    private static void discard(Datum d) {
        switch (d) {
            case Tensor t -> t.close();
            case TensorSequence s -> s.items().forEach(Engine::discard);
            case OptionalDatum o -> {
                if (o.value() != null) {
                    discard(o.value());
                }
            }
        }
    }

    private static Datum copy(Datum d) {
        return switch (d) {
            case Tensor t -> {
                Tensor c = Tensor.allocate(t.type(), t.shape());
                c.copyFrom(t);
                yield c;
            }
            case TensorSequence s ->
                new TensorSequence(s.items().stream().map(Engine::copy).toList());
            case OptionalDatum o -> o.value() == null ? o : new OptionalDatum(copy(o.value()));
        };
    }

    private Session take() {
        synchronized (resources) {
            ensureOpen();
            Session s = pool.poll();
            if (s != null) {
                return s;
            }
        }
        return newSession();
    }

    private void give(Session s) {
        s.unbind();
        synchronized (resources) {
            if (!resources.closed && pool.size() < Lanes.cores()) {
                pool.push(s);
                return;
            }
        }
        s.close();
    }

    /**
     * Writes the engine to a file that {@link #load} maps without compiling again.
     *
     * @throws EngineFormatException if the file cannot be written
     */
    public void save(Path file) {
        resources.inUse.lock();
        try {
            synchronized (resources) {
                ensureOpen();
            }
            EngineFile.write(model, file);
        } finally {
            resources.inUse.unlock();
        }
    }

    /** What runs for the shapes seen so far; for inspection. */
    @SuppressWarnings("exports")
    public CompiledModel model() {
        return model;
    }

    int inputIndex(String name) {
        int i = findInput(name);
        if (i < 0) {
            throw new ShapeException("there is no input '" + name + "'; the inputs are " + inputs);
        }
        return i;
    }

    int findInput(String name) {
        return inputIndex.getOrDefault(name, -1);
    }

    int outputIndex(String name) {
        Integer i = outputIndex.get(name);
        if (i == null) {
            throw new ShapeException("there is no input or output '" + name + "'; the inputs are " + inputs
                    + ", the outputs " + outputs);
        }
        return i;
    }

    void forget(Session s) {
        synchronized (resources) {
            resources.sessions.remove(s.resources());
            pool.remove(s);
        }
    }

    private void ensureOpen() {
        if (resources.closed) {
            throw new IllegalStateException("the engine is closed");
        }
    }

    /** Closes all sessions, waiting for runs in flight, then frees the weights. May be called twice. */
    @Override
    public void close() {
        guard.close();
        resources.close();
    }

    /** What an engine must free; apart from the engine itself, so that a lost engine can still be tidied away. */
    private static final class Resources {
        private final CompiledModel model;
        private final Set<Session.Resources> sessions = Collections.newSetFromMap(new IdentityHashMap<>());
        private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
        /** Held by those who read the model outside of a session; closing waits for them. */
        private final Lock inUse = lock.readLock();

        private boolean closed;

        Resources(CompiledModel model) {
            this.model = model;
        }

        /** Returns false if it was closed already. */
        boolean close() {
            List<Session.Resources> open;
            lock.writeLock().lock();
            try {
                synchronized (this) {
                    if (closed) {
                        return false;
                    }
                    closed = true;
                    open = new ArrayList<>(sessions);
                }
            } finally {
                lock.writeLock().unlock();
            }
            open.forEach(Session.Resources::close);
            model.close();
            return true;
        }
    }

    /** Options for making an engine. Not thread-safe. */
    public static final class Builder {
        private final Path file;
        private final EngineBuild.Options options = new EngineBuild.Options();

        private Builder(Path file) {
            this.file = file;
        }

        /** Where to run; by default the processor. Building fails where the device is not there: nothing else is tried. */
        public Builder device(Device device) {
            options.device = device;
            return this;
        }

        /** How to multiply; by default {@link Precision#FP32}. */
        public Builder precision(Precision precision) {
            options.precision = precision;
            return this;
        }

        /** Threads of one run; by default the cores that this process may use, which is also the most. */
        public Builder threads(int threads) {
            if (threads < 1) {
                throw new IllegalArgumentException("threads is " + threads + "; at least 1 was expected");
            }
            options.threads = threads;
            return this;
        }

        /** Threads of one run, by what they are for; by default {@link ThreadPreset#LATENCY}. */
        public Builder threads(ThreadPreset preset) {
            return threads(preset == ThreadPreset.LATENCY ? Lanes.cores() : 1);
        }

        /** Fixes an input's shape. Sizes that the model fixes must agree. */
        public Builder shape(String input, long... shape) {
            options.shapes.put(input, Shape.of(shape));
            return this;
        }

        /** Turns off rewrites and algorithms that change results beyond the order of sums; by default they are on. */
        public Builder exact(boolean exact) {
            options.exact = exact;
            return this;
        }

        /** A folder within which external data may lie; by default the model's own, without links. */
        public Builder trustedRoot(Path folder) {
            options.trustedRoot = folder;
            return this;
        }

        /** Is told how far building has come. */
        public Builder progress(@Nullable BuildListener listener) {
            options.listener = listener;
            return this;
        }

        /** Makes the engine. */
        public Engine build() {
            return new Engine(EngineBuild.build(file, options.copy()));
        }
    }
}
