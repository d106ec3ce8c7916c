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
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Broadcasts to a shape:  y = x repeated along axes of size 1 and new leading axes.
 * Inputs   x: any type; shape: INT64 vector.    Output y: the broadcast of both shapes.
 * Rules    x and shape broadcast; sizes are not negative.
 * Source   ONNX Expand-13.
 */
public record Expand() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Expand", n -> new Expand()));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        Optional<List<Dim>> target = in.dims(1);
        if (target.isPresent()) {
            in.require(
                    target.get().stream().allMatch(d -> !(d instanceof Dim.Known(long n)) || n >= 0),
                    "the shape " + target.get() + " has a negative size");
            return List.of(new TensorType(in.dtype(0), SymbolicShape.broadcast(x, SymbolicShape.of(target.get()))));
        }
        SymbolicShape s = in.shape(1);
        if (x.isRanked()
                && s.isRanked()
                && s.rank() == 1
                && s.dim(0) instanceof Dim.Known(long n)
                && n <= Shape.MAX_RANK) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.broadcast(x, SymbolicShape.ofRank((int) n))));
        }
        return List.of(TensorType.unranked(in.dtype(0)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        Optional<List<Dim>> x = in.dims(0);
        Optional<long[]> target = in.longs(1);
        if (x.isEmpty() || target.isEmpty() || target.get().length > 1) {
            return Optional.empty();
        }
        long n = target.get().length == 0 ? 1 : target.get()[0];
        if (x.get().size() != 1 || n == 1) {
            return x;
        }
        return n >= 0 && n <= Shape.MAX_RANK
                ? Optional.of(Collections.nCopies((int) n, x.get().getFirst()))
                : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape target = Limits.shape(in, in.tensor(1).toLongArray());
        Tensor y = Limits.allocate(in, x.type(), Broadcast.shape(x.shape(), target));
        Strided.copy(
                y.shape().dims(),
                x,
                0,
                Broadcast.strides(x.shape(), y.shape()),
                y,
                0,
                y.shape().strides());
        return List.of(y);
    }
}
