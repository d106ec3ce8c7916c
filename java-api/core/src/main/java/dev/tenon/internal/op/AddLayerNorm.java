package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Layer normalisation of a sum:  s = x + residual;  y = (s - mean) / sqrt(variance + epsilon) * scale + bias. Made by
 * rewrites.
 * Inputs   x, residual: floats, one type and shape; scale; bias (optional): that type, broadcast to x.
 * Outputs  y, s: the type and shape of x.
 * Rules    axis in [-rank, rank); shapes of x and residual broadcast.
 * Numerics s is rounded to its type before it is normalised.
 * Source   as {@link LayerNorm}.
 */
public record AddLayerNorm(long axis, float epsilon) implements Op {
    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        TensorType s = new TensorType(in.dtype(0), SymbolicShape.broadcast(in.shape(0), in.shape(1)));
        RowNorm.check(in, s.shape(), 2, 3);
        if (s.shape().isRanked()) {
            in.axis(axis, s.shape().rank());
        }
        return List.of(s, s);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor sum = Binary.evaluate(in, BinaryFn.ADD, in.tensor(0), in.tensor(1));
        int at = in.axis(axis, sum.shape().rank());
        RowNorm norm = new RowNorm(in, sum, at, epsilon, true);
        return List.of(norm.apply(sum, in.tensor(2), in.has(3) ? in.tensor(3) : null), sum);
    }
}
