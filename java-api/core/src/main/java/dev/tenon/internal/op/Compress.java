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
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Takes the slices along an axis for which a condition holds; without axis, elements of the flat tensor.
 * Inputs   x: any type; condition: BOOL vector, no longer than the axis.    Output y: the type of x.
 * Rules    the condition has rank 1; what it does not reach is left out.
 * Source   ONNX Compress-11.
 */
public record Compress(Optional<Long> axis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "Compress", n -> new Compress(n.has("axis") ? Optional.of(n.integer("axis", 0)) : Optional.empty())));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.BOOL);
        SymbolicShape x = in.shape(0);
        if (axis.isEmpty()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(1)));
        }
        return List.of(new TensorType(
                in.dtype(0), x.isRanked() ? x.withDim(in.axis(axis.get(), x.rank()), Dim.unknown()) : x));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor given = in.tensor(0);
        Tensor x = axis.isPresent() ? given : given.reshaped(Shape.of(given.size()));
        int at = in.axis(axis.orElse(0L), x.shape().rank());
        Tensor condition = in.tensor(1);
        long n = x.shape().dim(at);
        in.require(condition.shape().rank() == 1, "the condition must be a vector");
        long[] taken = LongStream.range(0, Math.min(n, condition.size()))
                .filter(condition::getBoolean)
                .toArray();
        long[] dims = x.shape().dims();
        dims[at] = taken.length;
        Tensor y = in.allocate(x.type(), dims);
        long[] strides = x.shape().strides();
        long[] to = y.shape().strides();
        dims[at] = 1;
        for (int i = 0; i < taken.length; i++) {
            Strided.copy(dims, x, taken[i] * strides[at], strides, y, i * to[at], to);
        }
        return List.of(y);
    }
}
