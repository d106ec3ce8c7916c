package dev.tenon.internal.ir;

import dev.tenon.DataType;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What a shape rule sees of a node: types of its inputs, and values where they are known. */
public final class Inference {
    /** Longer vectors are tables of weights, not shapes. */
    private static final int MAX_SHAPE_ELEMENTS = 1024;

    private final Node node;
    private final Function<Value, Optional<Tensor>> constants;
    private final Function<Value, Optional<List<Dim>>> dims;

    public Inference(
            Node node, Function<Value, Optional<Tensor>> constants, Function<Value, Optional<List<Dim>>> dims) {
        this.node = node;
        this.constants = constants;
        this.dims = dims;
    }

    /**
     * The output types of the node: {@link Op#infer}, where a size that overflows is a shape error as well.
     *
     * @throws ShapeException naming the rule that the inputs break
     */
    public List<ValueType> types() {
        try {
            return node.op().infer(this);
        } catch (ArithmeticException e) {
            throw error("a size overflows");
        }
    }

    public int inputCount() {
        return node.inputs().size();
    }

    /** Outputs that the node names; a variadic operator makes as many. */
    public int outputCount() {
        return node.outputs().size();
    }

    /** True if input {@code i} is given. */
    public boolean has(int i) {
        return node.hasInput(i);
    }

    /** The type of input {@code i}. @throws ShapeException if it is absent */
    public ValueType type(int i) {
        if (!has(i)) {
            throw error("input " + i + " is required but absent");
        }
        return node.input(i).type();
    }

    /** The type of input {@code i}, which must be a tensor. */
    public TensorType tensor(int i) {
        if (type(i) instanceof TensorType t) {
            return t;
        }
        throw error("input " + i + " is a " + type(i) + "; a tensor was expected");
    }

    public DataType dtype(int i) {
        return tensor(i).dtype();
    }

    public SymbolicShape shape(int i) {
        return tensor(i).shape();
    }

    /** The value of input {@code i} if it is a constant. */
    public Optional<Tensor> constant(int i) {
        return has(i) ? constants.apply(node.input(i)) : Optional.empty();
    }

    /** The elements of a constant integer input. */
    public Optional<long[]> longs(int i) {
        return constant(i).map(Tensor::toLongArray);
    }

    /** The elements of input {@code i} as dimensions: of a constant, or of what shape computations made known. */
    public Optional<List<Dim>> dims(int i) {
        if (!has(i)) {
            return Optional.empty();
        }
        Optional<long[]> known = tensor(i).dtype().isInteger()
                ? constant(i).filter(t -> t.size() <= MAX_SHAPE_ELEMENTS).map(Tensor::toLongArray)
                : Optional.empty();
        return known.isPresent()
                ? Optional.of(Arrays.stream(known.get()).mapToObj(Dim::of).toList())
                : dims.apply(node.input(i));
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

    /** @throws ShapeException unless the element type of input {@code i} is one of {@code allowed} */
    public void requireType(int i, DataType... allowed) {
        if (!Arrays.asList(allowed).contains(dtype(i))) {
            throw error("input " + i + " has element type " + dtype(i) + "; expected " + Arrays.toString(allowed));
        }
    }

    /**
     * @param dims what is not known, here or of the input, fits
     * @throws ShapeException if input {@code i} is given with another element type, another rank or other sizes
     */
    public void requireShape(int i, DataType type, Dim... dims) {
        if (!has(i)) {
            return;
        }
        requireType(i, type);
        SymbolicShape s = shape(i);
        boolean fits = !s.isRanked() || s.rank() == dims.length;
        for (int d = 0; fits && s.isRanked() && d < dims.length; d++) {
            fits = !s.dim(d).isKnown() || !dims[d].isKnown() || s.dim(d).equals(dims[d]);
        }
        require(fits, "input " + i + " has shape " + s + "; expected " + SymbolicShape.of(dims));
    }

    /** An exception that names the node, its inputs and the broken rule. */
    public ShapeException error(String message) {
        return new ShapeException(node.describe() + ": " + message + "; inputs are " + node.inputs());
    }
}
