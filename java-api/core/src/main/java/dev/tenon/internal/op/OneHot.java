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

/**
 * Vectors with one entry on:  y[..., d, ...] = on where d = indices[...], else off, with the new axis at {@code axis}.
 * Inputs   indices: numeric, any shape; depth: numeric, one element; values: any type [off, on].
 * Output   y: the type of values, the shape of indices with an axis of size depth inserted.
 * Rules    depth >= 0; axis in [-r - 1, r].  Indices outside [-depth, depth) give all off.
 * Source   ONNX OneHot-11.
 */
public record OneHot(long axis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("OneHot", n -> new OneHot(n.integer("axis", -1))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape i = in.shape(0);
        if (!i.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(2)));
        }
        int at = in.axis(axis, i.rank() + 1);
        Dim depth = in.constant(1)
                .filter(t -> t.size() == 1)
                .map(t -> Dim.of(t.getLong(0)))
                .orElseGet(Dim::unknown);
        in.require(!depth.isKnown() || depth.sizeOrMinusOne() >= 0, "depth " + depth + " is negative");
        List<Dim> out = new ArrayList<>(i.dims());
        out.add(at, depth);
        return List.of(new TensorType(in.dtype(2), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor indices = in.tensor(0);
        in.require(in.tensor(1).size() == 1, "depth must be one number");
        long depth = in.tensor(1).getLong(0);
        Tensor values = in.tensor(2);
        in.require(depth >= 0, "depth " + depth + " is negative");
        in.require(values.size() == 2, "values has " + values.size() + " elements; expected off and on");
        int rank = indices.shape().rank();
        int at = in.axis(axis, rank + 1);
        long[] dims = new long[rank + 1];
        for (int d = 0; d <= rank; d++) {
            dims[d] = d == at ? depth : indices.shape().dim(d < at ? d : d - 1);
        }
        Tensor y = Limits.allocate(in, values.type(), dims);
        Strided.copy(new long[] {y.size()}, values, 0, new long[] {0}, y, 0, new long[] {1});
        long inner = indices.shape().product(at, rank);
        for (long k = 0; k < indices.size(); k++) {
            long i = indices.getLong(k);
            if (i >= -depth && i < depth) {
                long hot = i < 0 ? i + depth : i;
                y.setFrom((k / inner * depth + hot) * inner + k % inner, values, 1);
            }
        }
        return List.of(y);
    }
}
