package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The distinct elements, or distinct slices along an axis.
 * Inputs   x: any real type, BOOL or text.
 * Outputs  y: the distinct ones; first: INT64, where each is first in x; inverse: INT64, for each of x its place in y;
 *          counts: INT64, how often each is in x.
 * Rules    with {@code sorted} y is in ascending order, else in the order of first appearance.  NaN counts as different from
 *          itself.
 * Source   ONNX Unique-11.
 */
public record Unique(Optional<Long> axis, boolean sorted) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "Unique",
            n -> new Unique(
                    n.has("axis") ? Optional.of(n.integer("axis", 0)) : Optional.empty(), n.flag("sorted", true))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(!in.dtype(0).isComplex(), "not defined for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        Dim n = Dim.unknown();
        SymbolicShape y;
        Dim positions;
        if (axis.isEmpty()) {
            y = SymbolicShape.of(n);
            positions = x.isRanked() ? DimMath.product(x.dims()) : Dim.unknown();
        } else if (x.isRanked()) {
            int at = in.axis(axis.get(), x.rank());
            y = x.withDim(at, n);
            positions = x.dim(at);
        } else {
            y = x;
            positions = Dim.unknown();
        }
        TensorType perUnique = new TensorType(DataType.INT64, SymbolicShape.of(n));
        return List.of(
                new TensorType(in.dtype(0), y),
                perUnique,
                new TensorType(DataType.INT64, SymbolicShape.of(positions)),
                perUnique);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor given = in.tensor(0);
        Tensor x = axis.isPresent() ? given : given.reshaped(Shape.of(given.size()));
        int at = in.axis(axis.orElse(0L), x.shape().rank());
        int n = Limits.arrayLength(in, x.shape().dim(at));
        // One row a slice.
        int[] order = IntStream.range(0, x.shape().rank())
                .map(d -> d == 0 ? at : d <= at ? d - 1 : d)
                .toArray();
        Tensor rows = Transpose.permute(in, x, order);
        long width = n == 0 ? 0 : rows.size() / n;
        Comparator<Integer> byValue = (a, b) -> compare(rows, a * width, b * width, width);
        // Stable: equal slices stay in the order of x.
        List<Integer> ascending = IntStream.range(0, n).boxed().sorted(byValue).toList();
        List<List<Integer>> groups = new ArrayList<>();
        for (int i : ascending) {
            if (!groups.isEmpty() && same(rows, groups.getLast().getFirst() * width, i * width, width)) {
                groups.getLast().add(i);
            } else {
                groups.add(new ArrayList<>(List.of(i)));
            }
        }
        if (!sorted) {
            groups.sort(Comparator.comparing(List::getFirst));
        }
        long[] dims = x.shape().dims();
        dims[at] = groups.size();
        Tensor y = in.allocate(x.type(), dims);
        Tensor first = in.allocate(DataType.INT64, groups.size());
        Tensor inverse = in.allocate(DataType.INT64, n);
        Tensor counts = in.allocate(DataType.INT64, groups.size());
        long[] xs = x.shape().strides();
        long[] ys = y.shape().strides();
        dims[at] = 1;
        for (int g = 0; g < groups.size(); g++) {
            List<Integer> group = groups.get(g);
            first.setLong(g, group.getFirst());
            counts.setLong(g, group.size());
            for (int i : group) {
                inverse.setLong(i, g);
            }
            Strided.copy(dims, x, group.getFirst() * xs[at], xs, y, g * ys[at], ys);
        }
        return List.of(y, first, inverse, counts);
    }

    private static int compare(Tensor t, long a, long b, long n) {
        for (long i = 0; i < n; i++) {
            int c;
            if (t.type() == DataType.STRING) {
                c = t.getString(a + i).compareTo(t.getString(b + i));
            } else if (t.type() == DataType.UINT64) {
                c = Long.compareUnsigned(t.getLong(a + i), t.getLong(b + i));
            } else if (Blocks.asLongs(t.type())) {
                c = Long.compare(t.getLong(a + i), t.getLong(b + i));
            } else {
                // Adding 0 makes -0 and 0 one number.
                c = Double.compare(t.getDouble(a + i) + 0.0, t.getDouble(b + i) + 0.0);
            }
            if (c != 0) {
                return c;
            }
        }
        return 0;
    }

    private static boolean same(Tensor t, long a, long b, long n) {
        if (t.type().isFloat()) {
            for (long i = 0; i < n; i++) {
                if (Double.isNaN(t.getDouble(a + i))) {
                    return false;
                }
            }
        }
        return compare(t, a, b, n) == 0;
    }
}
