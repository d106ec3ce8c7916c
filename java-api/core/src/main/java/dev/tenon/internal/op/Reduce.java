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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Folds axes:  y = fold of x over axes.
 * Inputs   x: numeric (maximum and minimum take BOOL too); axes (optional): INT64 vector.
 * Output   y: the type of x; reduced dimensions are 1 with keepDims, else left out.
 * Rules    axes are in [-rank, rank), each once.  Without axes all are reduced, or none if {@code noopIfEmpty}; what the
 *          fold does to one element it still does.
 * Numerics the reference folds in double (integers in long, wrapping) in row-major order.  Of an empty set: 0 for sums, 1 for
 *          the product, the least value of the type for the maximum, NaN for the mean, -infinity for logarithms.
 * Source   ONNX ReduceSum-13, ReduceMax-20, ReduceMean-18 ...; before (ReduceSum: 13) 18 axes is an attribute.
 */
public record Reduce(ReduceFn fn, boolean keepDims, boolean noopIfEmpty) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(ReduceFn.values())
            .map(f -> OpSpec.onnx(f.onnxName, n -> {
                if (n.opset() < f.axesInputSince() && n.has("axes")) {
                    n.constantInput(1, n.integers("axes"));
                }
                return new Reduce(f, n.flag("keepdims", true), n.flag("noop_with_empty_axes", false));
            }))
            .toList();

    @Override
    public String name() {
        return fn.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    /** Which axes are reduced, of so many; {@code given} is the axes input, empty if there is none. */
    private boolean[] reduced(long[] given, int[] axes, int rank) {
        boolean[] r = new boolean[rank];
        Arrays.fill(r, given.length == 0 && !noopIfEmpty);
        for (int a : axes) {
            r[a] = true;
        }
        return r;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(
                type.isFloat()
                        || type.isInteger()
                        || (type == DataType.BOOL && (fn == ReduceFn.MAX || fn == ReduceFn.MIN)),
                "not defined for element type " + type);
        SymbolicShape x = in.shape(0);
        Optional<long[]> given = in.has(1) ? in.longs(1) : Optional.of(new long[0]);
        if (!x.isRanked() || given.isEmpty()) {
            return List.of(new TensorType(
                    type, keepDims && x.isRanked() ? SymbolicShape.ofRank(x.rank()) : SymbolicShape.UNRANKED));
        }
        boolean[] reduced = reduced(given.get(), Axes.normalize(in, given.get(), x.rank()), x.rank());
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            if (!reduced[i]) {
                out.add(x.dim(i));
            } else if (keepDims) {
                out.add(Dim.of(1));
            }
        }
        return List.of(new TensorType(type, SymbolicShape.of(out)));
    }

    /** Element counts are products of dimensions. */
    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        boolean whole = in.shape(0).isRanked() && in.shape(0).rank() == 1 && !in.has(1) && !noopIfEmpty;
        return whole && fn == ReduceFn.PROD && in.dtype(0) == DataType.INT64
                ? in.dims(0).map(d -> List.of(DimMath.product(d)))
                : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        long[] given = in.has(1) ? in.tensor(1).toLongArray() : new long[0];
        boolean[] reduced = reduced(given, Axes.normalize(in, given, rank), rank);
        List<Long> out = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            if (!reduced[i] || keepDims) {
                out.add(reduced[i] ? 1 : x.shape().dim(i));
            }
        }
        Tensor y = Limits.allocate(
                in, x.type(), out.stream().mapToLong(Long::longValue).toArray());
        Tensor rows = Rows.last(in, x, reduced);
        int n = Limits.arrayLength(in, Rows.length(x.shape(), reduced));
        if (Blocks.asLongs(x.type()) && fn.isExactOnLongs()) {
            long[] row = new long[n];
            for (long i = 0; i < y.size(); i++) {
                Blocks.load(rows, i * n, row, 0, n);
                y.setLong(i, fn.ofLongs(row, 0, n, x.type()));
            }
        } else {
            double[] row = new double[n];
            for (long i = 0; i < y.size(); i++) {
                Blocks.load(rows, i * n, row, 0, n);
                y.setDouble(i, fn.ofDoubles(row, 0, n));
            }
        }
        return List.of(y);
    }
}
