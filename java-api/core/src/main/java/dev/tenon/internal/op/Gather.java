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
import java.util.List;
import java.util.Optional;

/**
 * Takes slices along an axis:  y[a, i, b] = x[a, indices[i], b].
 * Inputs   x: any type; indices: INT32 or INT64, any shape.    Output y: the type of x; the axis becomes indices' axes.
 * Rules    rank(x) >= 1; indices are in [-n, n) for the axis of size n.
 * Source   ONNX Gather-13.
 */
public record Gather(long axis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Gather", n -> new Gather(n.integer("axis", 0))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64, DataType.INT32);
        SymbolicShape x = in.shape(0);
        SymbolicShape i = in.shape(1);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        int at = in.axis(axis, x.rank());
        if (!i.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        List<Dim> out = new ArrayList<>(x.dims().subList(0, at));
        out.addAll(i.dims());
        out.addAll(x.dims().subList(at + 1, x.rank()));
        in.require(out.size() <= Shape.MAX_RANK, "the result's rank " + out.size() + " is over the limit");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        Optional<List<Dim>> x = in.dims(0);
        Optional<long[]> indices = in.longs(1);
        if (x.isEmpty()
                || indices.isEmpty()
                || !in.shape(0).isRanked()
                || in.shape(0).rank() != 1) {
            return Optional.empty();
        }
        List<Dim> out = new ArrayList<>();
        for (long i : indices.get()) {
            out.add(x.get().get(in.axis(i, x.get().size())));
        }
        return Optional.of(out);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        int rank = x.shape().rank();
        int at = in.axis(axis, rank);
        int more = indices.shape().rank();
        in.require(rank - 1 + more <= Shape.MAX_RANK, "the result's rank is over the limit");
        long[] dims = new long[rank - 1 + more];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = i < at
                    ? x.shape().dim(i)
                    : i < at + more ? indices.shape().dim(i - at) : x.shape().dim(i - more + 1);
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        long n = x.shape().dim(at);
        long outer = x.shape().product(0, at);
        long inner = x.shape().product(at + 1, rank);
        long count = indices.size();
        for (long k = 0; k < count; k++) {
            long i = Indices.check(in, indices.getLong(k), n);
            Strided.copy(new long[] {outer, inner}, x, i * inner, new long[] {n * inner, 1}, y, k * inner, new long[] {
                count * inner, 1
            });
        }
        return List.of(y);
    }
}
