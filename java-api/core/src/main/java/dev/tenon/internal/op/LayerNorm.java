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
import java.util.List;

/**
 * Layer normalisation over the axes from {@code axis} on:
 * y = (x - mean) / sqrt(variance + epsilon) * scale + bias.
 * Inputs   x: floats; scale; bias (optional): the type of x, broadcast to x.
 * Outputs  y: the type and shape of x; mean, invStdDev (optional): FLOAT32, normalised axes 1.
 * Rules    axis in [-rank, rank); scale and bias broadcast to x.
 * Numerics the reference computes in double; the variance is that of the population.
 * Source   Ba, Kiros, Hinton 2016 (Layer normalization), equation 4; ONNX LayerNormalization-17.
 */
public record LayerNorm(long axis, float epsilon) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("LayerNormalization", n -> new LayerNorm(n.integer("axis", -1), n.real("epsilon", 1e-5f))));

    @Override
    public String name() {
        return "LayerNormalization";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        TensorType x = in.tensor(0);
        RowNorm.check(in, x.shape(), 1, 2);
        SymbolicShape statistics = x.shape();
        if (statistics.isRanked()) {
            for (int i = in.axis(axis, statistics.rank()); i < x.shape().rank(); i++) {
                statistics = statistics.withDim(i, Dim.of(1));
            }
        }
        TensorType s = new TensorType(DataType.FLOAT32, statistics);
        return List.of(x, s, s);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        RowNorm norm = new RowNorm(in, x, at, epsilon, true);
        Tensor y = norm.apply(x, in.tensor(1), in.has(2) ? in.tensor(2) : null);
        return List.of(y, norm.mean(), norm.inverse());
    }
}
