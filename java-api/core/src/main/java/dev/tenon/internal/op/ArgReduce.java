package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
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
import java.util.List;

/**
 * The position of the largest or smallest element along an axis.
 * Inputs   x: real numbers.    Output y: INT64; the axis becomes 1 with keepDims, else is left out.
 * Rules    axis in [-rank, rank); the axis is not empty.
 * Numerics of equal elements the first counts, with {@code selectLast} the last.  NaN counts before any number.
 * Source   ONNX ArgMax-13, ArgMin-13.
 */
public record ArgReduce(boolean max, long axis, boolean keepDims, boolean selectLast) implements Op {
    static final List<OpSpec> SPECS = List.of(spec("ArgMax", true), spec("ArgMin", false));

    private static OpSpec spec(String name, boolean max) {
        return OpSpec.onnx(
                name,
                n -> new ArgReduce(
                        max, n.integer("axis", 0), n.flag("keepdims", true), n.flag("select_last_index", false)));
    }

    @Override
    public String name() {
        return max ? "ArgMax" : "ArgMin";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() || in.dtype(0).isInteger(), "not defined for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(DataType.INT64));
        }
        int at = in.axis(axis, x.rank());
        in.require(!x.dim(at).is(0), "axis " + at + " is empty");
        List<Dim> out = new ArrayList<>(x.dims());
        out.remove(at);
        if (keepDims) {
            out.add(at, Dim.of(1));
        }
        return List.of(new TensorType(DataType.INT64, SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        int n = Limits.arrayLength(in, x.shape().dim(at));
        in.require(n > 0, "axis " + at + " is empty");
        Tensor rows = Rows.last(in, x, at);
        List<Long> out = new ArrayList<>();
        for (int i = 0; i < x.shape().rank(); i++) {
            if (i != at || keepDims) {
                out.add(i == at ? 1 : x.shape().dim(i));
            }
        }
        Tensor y = in.allocate(
                DataType.INT64, out.stream().mapToLong(Long::longValue).toArray());
        if (Blocks.asLongs(x.type())) {
            boolean unsigned = x.type().isUnsigned();
            long[] row = new long[n];
            for (long r = 0; r < y.size(); r++) {
                Blocks.load(rows, r * n, row, 0, n);
                int best = 0;
                for (int i = 1; i < n; i++) {
                    int c = unsigned ? Long.compareUnsigned(row[i], row[best]) : Long.compare(row[i], row[best]);
                    best = better(max ? c : -c) ? i : best;
                }
                y.setLong(r, best);
            }
        } else {
            double[] row = new double[n];
            for (long r = 0; r < y.size(); r++) {
                Blocks.load(rows, r * n, row, 0, n);
                int best = 0;
                for (int i = 1; i < n; i++) {
                    best = better(order(row[i], row[best])) ? i : best;
                }
                y.setLong(r, best);
            }
        }
        return List.of(y);
    }

    /** Positive if {@code a} counts before {@code b}. */
    private int order(double a, double b) {
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return Boolean.compare(Double.isNaN(a), Double.isNaN(b));
        }
        // Adding 0 makes -0 and 0 one number.
        int c = Double.compare(a + 0.0, b + 0.0);
        return max ? c : -c;
    }

    private boolean better(int order) {
        return order > 0 || (selectLast && order == 0);
    }
}
