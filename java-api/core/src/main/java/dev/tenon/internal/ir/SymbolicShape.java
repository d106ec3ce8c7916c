package dev.tenon.internal.ir;

import dev.tenon.Shape;
import dev.tenon.ShapeException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A shape known in part: dimensions may be symbols, and even the rank may be unknown ({@link #UNRANKED}). */
public final class SymbolicShape {
    /** Nothing is known, not even the rank. */
    public static final SymbolicShape UNRANKED = new SymbolicShape(null);

    public static final SymbolicShape SCALAR = new SymbolicShape(List.of());

    private final @Nullable List<Dim> dims;

    private SymbolicShape(@Nullable List<Dim> dims) {
        this.dims = dims;
    }

    public static SymbolicShape of(List<? extends Dim> dims) {
        return new SymbolicShape(List.copyOf(dims));
    }

    public static SymbolicShape of(Dim... dims) {
        return new SymbolicShape(List.of(dims));
    }

    public static SymbolicShape of(long... dims) {
        return new SymbolicShape(Arrays.stream(dims).mapToObj(Dim::of).collect(Collectors.toUnmodifiableList()));
    }

    public static SymbolicShape of(Shape shape) {
        return of(shape.dims());
    }

    /** A shape of this rank with nothing known of its dimensions. */
    public static SymbolicShape ofRank(int rank) {
        List<Dim> dims = new ArrayList<>(rank);
        for (int i = 0; i < rank; i++) {
            dims.add(Dim.unknown());
        }
        return of(dims);
    }

    public boolean isRanked() {
        return dims != null;
    }

    /** True if every dimension is a number. */
    public boolean isConcrete() {
        return dims != null && dims.stream().allMatch(Dim::isKnown);
    }

    /** @throws IllegalStateException if the rank is unknown */
    public int rank() {
        return dims().size();
    }

    /** @throws IllegalStateException if the rank is unknown */
    public List<Dim> dims() {
        if (dims == null) {
            throw new IllegalStateException("the rank is not known");
        }
        return dims;
    }

    /** The dimension at {@code axis}; negative counts from the end. */
    public Dim dim(int axis) {
        return dims().get(axis < 0 ? axis + rank() : axis);
    }

    /** The size at {@code axis}, or -1 if it is a symbol. */
    public long size(int axis) {
        return dim(axis).sizeOrMinusOne();
    }

    /** The concrete shape. @throws ShapeException if a dimension is not known */
    public Shape concrete() {
        if (!isConcrete()) {
            throw new ShapeException("shape " + this + " is not fully known");
        }
        return Shape.of(dims().stream().mapToLong(Dim::sizeOrMinusOne).toArray());
    }

    /** This shape with one dimension replaced. */
    public SymbolicShape withDim(int axis, Dim d) {
        List<Dim> copy = new ArrayList<>(dims());
        copy.set(axis < 0 ? axis + copy.size() : axis, d);
        return of(copy);
    }

    /** What is known of a shape that is one of two. */
    public static SymbolicShape common(SymbolicShape a, SymbolicShape b) {
        if (a.equals(b)) {
            return a;
        }
        if (!a.isRanked() || !b.isRanked() || a.rank() != b.rank()) {
            return UNRANKED;
        }
        List<Dim> dims = new ArrayList<>();
        for (int i = 0; i < a.rank(); i++) {
            dims.add(a.dim(i).equals(b.dim(i)) ? a.dim(i) : Dim.unknown());
        }
        return of(dims);
    }

    /** Multidirectional (NumPy) broadcast. @throws ShapeException if known dimensions clash */
    public static SymbolicShape broadcast(SymbolicShape a, SymbolicShape b) {
        if (!a.isRanked() || !b.isRanked()) {
            return UNRANKED;
        }
        int rank = Math.max(a.rank(), b.rank());
        Dim[] out = new Dim[rank];
        for (int i = 1; i <= rank; i++) {
            Dim x = i <= a.rank() ? a.dim(-i) : Dim.of(1);
            Dim y = i <= b.rank() ? b.dim(-i) : Dim.of(1);
            out[rank - i] = broadcast(x, y, a, b);
        }
        return of(out);
    }

    private static Dim broadcast(Dim x, Dim y, SymbolicShape a, SymbolicShape b) {
        if (x.equals(y) || y.is(1)) {
            return x;
        }
        if (x.is(1)) {
            return y;
        }
        if (x.isKnown() && y.isKnown()) {
            throw new ShapeException("shapes " + a + " and " + b + " do not broadcast: " + x + " against " + y);
        }
        if (x.isKnown()) {
            return x;
        }
        return y.isKnown() ? y : Dim.unknown();
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof SymbolicShape s && (dims == null ? s.dims == null : dims.equals(s.dims));
    }

    @Override
    public int hashCode() {
        return dims == null ? 0 : dims.hashCode();
    }

    @Override
    public String toString() {
        if (dims == null) {
            return "unranked";
        }
        return dims.isEmpty() ? "scalar" : dims.stream().map(Dim::toString).collect(Collectors.joining("x"));
    }
}
