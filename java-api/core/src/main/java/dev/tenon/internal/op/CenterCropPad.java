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
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Cuts or zero-pads axes to given sizes around their centre.
 * Inputs   x: any type; shape: INT32 or INT64 vector, one size for each axis in {@code axes} (by default all).
 * Output   y: the type of x.    Rules sizes are not negative; axes are in range, each once.
 * Numerics where the difference is odd, the extra element is cut at the end, and padded at the end.
 * Source   ONNX CenterCropPad-18.
 */
public record CenterCropPad(List<Long> axes) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("CenterCropPad", n -> new CenterCropPad(n.integers("axes"))));

    public CenterCropPad {
        axes = List.copyOf(axes);
    }

    private long[] named(int rank) {
        return axes.isEmpty()
                ? LongStream.range(0, rank).toArray()
                : axes.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64, DataType.INT32);
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        int[] at = Axes.normalize(in, named(x.rank()), x.rank());
        Optional<List<Dim>> target = in.dims(1);
        in.require(target.isEmpty() || target.get().size() == at.length, "there must be one size for each axis");
        List<Dim> out = new ArrayList<>(x.dims());
        for (int i = 0; i < at.length; i++) {
            Dim d = target.isPresent() ? target.get().get(i) : Dim.unknown();
            in.require(!(d instanceof Dim.Known(long n)) || n >= 0, "size " + d + " is negative");
            out.set(at[i], d);
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        int[] at = Axes.normalize(in, named(rank), rank);
        long[] target = in.tensor(1).toLongArray();
        in.require(target.length == at.length, "there must be one size for each axis");
        long[] dims = x.shape().dims();
        for (int i = 0; i < at.length; i++) {
            dims[at[i]] = target[i];
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        long[] xs = x.shape().strides();
        long[] ys = y.shape().strides();
        long from = 0;
        long to = 0;
        for (int d = 0; d < rank; d++) {
            long have = x.shape().dim(d);
            long want = dims[d];
            from += have > want ? (have - want) / 2 * xs[d] : 0;
            to += want > have ? (want - have) / 2 * ys[d] : 0;
            dims[d] = Math.min(have, want);
        }
        Strided.copy(dims, x, from, xs, y, to, ys);
        return List.of(y);
    }
}
