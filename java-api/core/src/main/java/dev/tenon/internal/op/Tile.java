package dev.tenon.internal.op;

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
import java.util.Optional;

/**
 * Repeats a tensor along each axis.
 * Inputs   x: any type; repeats: INT64 vector, one an axis.    Output y: dimension i is dim(x, i) repeats[i].
 * Rules    there are as many repeats as axes; none is negative.
 * Source   ONNX Tile-13; version 1 has scalars tiles and axis.
 */
public record Tile() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Tile", 6, n -> new Tile()));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        Optional<List<Dim>> repeats = in.dims(1);
        if (repeats.isEmpty()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(x.rank())));
        }
        in.require(repeats.get().size() == x.rank(), repeats.get().size() + " repeats for rank " + x.rank());
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            Dim r = repeats.get().get(i);
            in.require(!(r instanceof Dim.Known(long n)) || n >= 0, "repeat " + r + " is negative");
            out.add(DimMath.multiply(x.dim(i), r));
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        long[] repeats = in.tensor(1).toLongArray();
        int rank = x.shape().rank();
        in.require(repeats.length == rank, repeats.length + " repeats for rank " + rank);
        long[] dims = new long[rank];
        for (int i = 0; i < rank; i++) {
            long n = x.shape().dim(i);
            in.require(repeats[i] >= 0, "repeat " + repeats[i] + " is negative");
            in.require(n == 0 || repeats[i] <= Long.MAX_VALUE / n, "the output exceeds the address space");
            dims[i] = n * repeats[i];
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        // Seen as [repeat, dimension] for each axis, the repeats are broadcast axes.
        long[] grid = new long[2 * rank];
        long[] from = new long[2 * rank];
        long[] to = new long[2 * rank];
        long[] xs = x.shape().strides();
        long[] ys = y.shape().strides();
        for (int i = 0; i < rank; i++) {
            grid[2 * i] = repeats[i];
            grid[2 * i + 1] = x.shape().dim(i);
            from[2 * i + 1] = xs[i];
            to[2 * i] = ys[i] * x.shape().dim(i);
            to[2 * i + 1] = ys[i];
        }
        Strided.copy(grid, x, 0, from, y, 0, to);
        return List.of(y);
    }
}
