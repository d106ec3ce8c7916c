package dev.tenon.internal.ir;

import dev.tenon.CancelledException;
import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.memory.MemoryScope;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** What a reference implementation sees of a node: its input values, and memory for its outputs. */
public final class Evaluation {
    private static final ScopedValue<BooleanSupplier> CANCELLED = ScopedValue.newInstance();

    private final Node node;
    private final List<@Nullable Datum> inputs;
    private final MemoryScope scope;
    private final GraphRunner runner;

    /** Runs a subgraph on these inputs; how control flow evaluates its bodies. */
    @FunctionalInterface
    public interface GraphRunner {
        List<Datum> run(Graph graph, List<Datum> inputs, MemoryScope scope);
    }

    /** @param inputs one for each input of the node, null where it is absent */
    public Evaluation(Node node, List<@Nullable Datum> inputs, MemoryScope scope, GraphRunner runner) {
        this.node = node;
        this.inputs = inputs;
        this.scope = scope;
        this.runner = runner;
    }

    public int inputCount() {
        return inputs.size();
    }

    /** Outputs that the node names; a variadic operator makes as many. */
    public int outputCount() {
        return node.outputs().size();
    }

    /** True if output {@code i} is wanted. */
    public boolean wants(int i) {
        return !node.output(i).isAbsent();
    }

    /** True if input {@code i} is given. */
    public boolean has(int i) {
        return i < inputs.size() && inputs.get(i) != null;
    }

    /** Input {@code i}. @throws ShapeException if it is absent */
    public Datum datum(int i) {
        Datum d = i < inputs.size() ? inputs.get(i) : null;
        if (d == null) {
            throw error("input " + i + " is required but absent");
        }
        return d;
    }

    /** Input {@code i}, which must be a tensor. */
    public Tensor tensor(int i) {
        if (datum(i) instanceof Tensor t) {
            return t;
        }
        throw error("input " + i + " is not a tensor");
    }

    /** Input {@code i}, which must be a sequence. */
    public TensorSequence sequence(int i) {
        if (datum(i) instanceof TensorSequence s) {
            return s;
        }
        throw error("input " + i + " is not a sequence");
    }

    /** Input {@code i} as an optional; a plain value counts as present. */
    public OptionalDatum optional(int i) {
        return datum(i) instanceof OptionalDatum o ? o : new OptionalDatum(datum(i));
    }

    /** A zeroed output (or scratch) tensor that lives as long as this evaluation's results. */
    public Tensor allocate(DataType type, Shape shape) {
        return Tensor.allocate(scope, type, shape);
    }

    /** A zeroed output (or scratch) tensor that lives as long as this evaluation's results. */
    public Tensor allocate(DataType type, long... dims) {
        return Tensor.allocate(scope, type, Shape.of(dims));
    }

    /** Does {@code work}, in which {@link #checkCancelled} also obeys {@code cancelled}. */
    public static void cancellable(BooleanSupplier cancelled, Runnable work) {
        ScopedValue.where(CANCELLED, cancelled).run(work);
    }

    /**
     * Stops a long evaluation that was cancelled or whose thread was interrupted. Loops call it once an iteration.
     *
     * @throws CancelledException if so; an interrupt stays set
     */
    public static void checkCancelled() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancelledException("the evaluation was interrupted");
        }
        if (CANCELLED.isBound() && CANCELLED.get().getAsBoolean()) {
            throw new CancelledException("the run was cancelled");
        }
    }

    /** Runs a subgraph of this node's operator. */
    public List<Datum> run(Graph graph, List<Datum> graphInputs) {
        return runner.run(graph, graphInputs, scope);
    }

    /** As {@link #run(Graph, List)}, with results and intermediates in {@code memory} instead of this evaluation's. */
    public List<Datum> run(Graph graph, List<Datum> graphInputs, MemoryScope memory) {
        return runner.run(graph, graphInputs, memory);
    }

    /** {@code axis} made non-negative. @throws ShapeException if it is outside [-rank, rank) */
    public int axis(long axis, int rank) {
        require(axis >= -rank && axis < rank, "axis " + axis + " is outside [" + -rank + ", " + (rank - 1) + "]");
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** @throws ShapeException with the node's name and {@code message} unless {@code ok} */
    public void require(boolean ok, String message) {
        if (!ok) {
            throw error(message);
        }
    }

    /** An exception that names the node, its inputs and what is wrong. */
    public ShapeException error(String message) {
        return new ShapeException(node.describe() + ": " + message + "; inputs are " + inputs);
    }
}
