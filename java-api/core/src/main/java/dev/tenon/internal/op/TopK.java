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
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The k largest or smallest elements along an axis.
 * Inputs   x: real numbers; k: INT64, one number.    Outputs values: the type of x; indices: INT64; the axis has size k.
 * Rules    0 <= k <= size of the axis; axis in [-rank, rank).
 * Numerics results are in order (largest or smallest first); of equal elements the one with the lower index comes first.
 *          NaN counts as larger than any number.
 * Source   ONNX TopK-24; before version 10 k is an attribute.
 */
public record TopK(long axis, boolean largest) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("TopK", n -> {
        if (n.opset() < 10) {
            n.constantInput(1, List.of(n.requireInteger("k")));
        }
        return new TopK(n.integer("axis", -1), n.flag("largest", true));
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() || in.dtype(0).isInteger(), "not defined for element type " + in.dtype(0));
        in.requireType(1, DataType.INT64);
        SymbolicShape y = in.shape(0);
        if (y.isRanked()) {
            int at = in.axis(axis, y.rank());
            Dim k = in.dims(1).filter(d -> d.size() == 1).map(List::getFirst).orElseGet(Dim::unknown);
            in.require(!(k instanceof Dim.Known(long n)) || n >= 0, "k is " + k);
            in.require(
                    !(k instanceof Dim.Known(long n)) || !(y.dim(at) instanceof Dim.Known(long size)) || n <= size,
                    "k is " + k + " for an axis of size " + y.dim(at));
            y = y.withDim(at, k);
        }
        return List.of(new TensorType(in.dtype(0), y), new TensorType(DataType.INT64, y));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        int n = Limits.arrayLength(in, x.shape().dim(at));
        in.require(in.tensor(1).size() == 1, "k must be one number");
        long k = in.tensor(1).getLong(0);
        in.require(k >= 0 && k <= n, "k is " + k + " for an axis of size " + n);
        Tensor rows = Rows.last(in, x, at);
        long[] dims = rows.shape().dims();
        dims[dims.length - 1] = k;
        Tensor values = in.allocate(x.type(), dims);
        Tensor indices = in.allocate(DataType.INT64, dims);
        long count = n == 0 ? 0 : x.size() / n;
        for (long r = 0; r < count; r++) {
            long from = r * n;
            Comparator<Integer> order = order(rows, from);
            List<Integer> best = IntStream.range(0, n)
                    .boxed()
                    .sorted(largest ? order.reversed() : order)
                    .limit(k)
                    .toList();
            for (int i = 0; i < k; i++) {
                values.setFrom(r * k + i, rows, from + best.get(i));
                indices.setLong(r * k + i, best.get(i));
            }
        }
        return List.of(Rows.back(in, values, at), Rows.back(in, indices, at));
    }

    private static Comparator<Integer> order(Tensor rows, long from) {
        if (!rows.type().isInteger()) {
            // Adding 0 makes -0 and 0 one number.
            return (a, b) -> Double.compare(rows.getDouble(from + a) + 0.0, rows.getDouble(from + b) + 0.0);
        }
        return rows.type().isUnsigned()
                ? (a, b) -> Long.compareUnsigned(rows.getLong(from + a), rows.getLong(from + b))
                : (a, b) -> Long.compare(rows.getLong(from + a), rows.getLong(from + b));
    }
}
