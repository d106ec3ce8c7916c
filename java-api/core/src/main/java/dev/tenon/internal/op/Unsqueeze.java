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
import java.util.Optional;

/**
 * Inserts axes of size 1.
 * Inputs   x: any type; axes: INT64 vector, positions in the result.    Output y: the same elements.
 * Rules    axes are in [-r, r) for r = rank(x) + len(axes), each once.    Aliasing: y is x under another shape.
 * Source   ONNX Unsqueeze-25; before version 13 axes is an attribute.
 */
public record Unsqueeze() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Unsqueeze", n -> {
        if (n.opset() < 13) {
            n.constantInput(1, n.integers("axes"));
        }
        return new Unsqueeze();
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        Optional<long[]> given = in.longs(1);
        if (!x.isRanked() || given.isEmpty()) {
            boolean countKnown = x.isRanked()
                    && in.shape(1).isRanked()
                    && in.shape(1).rank() == 1
                    && in.shape(1).dim(0).isKnown();
            long rank = countKnown ? x.rank() + in.shape(1).size(0) : Long.MAX_VALUE;
            return List.of(new TensorType(
                    in.dtype(0), rank <= Shape.MAX_RANK ? SymbolicShape.ofRank((int) rank) : SymbolicShape.UNRANKED));
        }
        int rank = x.rank() + given.get().length;
        in.require(rank <= Shape.MAX_RANK, "the result's rank " + rank + " is over the limit of " + Shape.MAX_RANK);
        int[] axes = Axes.normalize(in, given.get(), rank);
        List<Dim> out = new ArrayList<>();
        for (int i = 0, k = 0; i < rank; i++) {
            out.add(Axes.contains(axes, i) ? Dim.of(1) : x.dim(k++));
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.dims(0)
                .filter(d ->
                        d.size() == 1 && in.shape(0).isRanked() && in.shape(0).rank() == 0);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        long[] given = in.tensor(1).toLongArray();
        int rank = x.shape().rank() + given.length;
        in.require(rank <= Shape.MAX_RANK, "the result's rank " + rank + " is over the limit of " + Shape.MAX_RANK);
        int[] axes = Axes.normalize(in, given, rank);
        long[] dims = new long[rank];
        for (int i = 0, k = 0; i < rank; i++) {
            dims[i] = Axes.contains(axes, i) ? 1 : x.shape().dim(k++);
        }
        return List.of(x.reshaped(Shape.of(dims)));
    }
}
