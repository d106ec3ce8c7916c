package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * RMS normalisation over the axes from {@code axis} on:  y = x / sqrt(mean(x^2) + epsilon) * scale.
 * Inputs   x: floats; scale: the type of x, broadcast to x.    Output y: the type and shape of x.
 * Rules    axis in [-rank, rank); scale broadcasts to x.
 * Numerics the reference computes in double.
 * Source   Zhang & Sennrich 2019 (Root mean square layer normalization), equation 4; ONNX RMSNormalization-23.
 */
public record RmsNorm(long axis, float epsilon) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("RMSNormalization", n -> new RmsNorm(n.integer("axis", -1), n.real("epsilon", 1e-5f))));

    @Override
    public String name() {
        return "RMSNormalization";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        RowNorm.check(in, in.shape(0), 1, 1);
        if (in.shape(0).isRanked()) {
            in.axis(axis, in.shape(0).rank());
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        return List.of(new RowNorm(in, x, at, epsilon, false).apply(x, in.tensor(1), null));
    }
}
