package dev.tenon.internal.op;

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
import java.util.List;

/**
 * Takes slices at index tuples:  y[b, i] = x[b, indices[b, i, 0], indices[b, i, 1], ...].
 * Inputs   x: any type, rank r; indices: INT64 [..., K], rank q.    Output y: indices' leading axes, then what K leaves of x.
 * Rules    batchDims < min(q, r); 1 <= K <= r - batchDims; batch dimensions agree; indices are in range.
 * Source   ONNX GatherND-13.
 */
public record GatherNd(long batchDims) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("GatherND", n -> new GatherNd(n.integer("batch_dims", 0))));

    @Override
    public String name() {
        return "GatherND";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        SymbolicShape i = in.shape(1);
        if (!x.isRanked() || !i.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 1 && i.rank() >= 1, "ranks must be at least 1");
        in.require(
                batchDims >= 0 && batchDims < Math.min(x.rank(), i.rank()),
                "batch_dims " + batchDims + " is out of range");
        for (int d = 0; d < batchDims; d++) {
            in.require(
                    !DimMath.clash(x.dim(d), i.dim(d)),
                    "batch dimensions " + x.dim(d) + " and " + i.dim(d) + " differ");
        }
        if (!(i.dim(-1) instanceof Dim.Known(long k))) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(
                k >= 1 && k <= x.rank() - batchDims,
                "index tuples have " + k + " entries; expected 1 to " + (x.rank() - batchDims));
        List<Dim> out = new ArrayList<>(i.dims().subList(0, i.rank() - 1));
        out.addAll(x.dims().subList((int) (batchDims + k), x.rank()));
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        Shape xs = x.shape();
        Shape is = indices.shape();
        in.require(xs.rank() >= 1 && is.rank() >= 1, "ranks must be at least 1");
        in.require(
                batchDims >= 0 && batchDims < Math.min(xs.rank(), is.rank()),
                "batch_dims " + batchDims + " is out of range");
        int b = (int) batchDims;
        for (int d = 0; d < b; d++) {
            in.require(xs.dim(d) == is.dim(d), "batch dimensions differ");
        }
        in.require(is.dim(-1) >= 1 && is.dim(-1) <= xs.rank() - b, "index tuples have " + is.dim(-1) + " entries");
        int k = (int) is.dim(-1);
        long[] dims = new long[is.rank() - 1 + xs.rank() - b - k];
        for (int d = 0; d < dims.length; d++) {
            dims[d] = d < is.rank() - 1 ? is.dim(d) : xs.dim(d - (is.rank() - 1) + b + k);
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        long slice = xs.product(b + k, xs.rank());
        long tuples = is.product(b, is.rank() - 1);
        long batch = xs.product(b, xs.rank());
        for (long t = 0, total = is.product(0, is.rank() - 1); t < total; t++) {
            long from = t / tuples * batch + TupleIndex.offset(in, indices, t * k, k, xs, b);
            Strided.copy(new long[] {slice}, x, from, new long[] {1}, y, t * slice, new long[] {1});
        }
        return List.of(y);
    }
}
