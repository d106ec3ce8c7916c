package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * The negative log-likelihood of target classes:  l[n, d] = -weight[t] x[n, t, d] for t = target[n, d].
 * Inputs   x: floats [N, C, ...], log-probabilities; target: INT32 or INT64 [N, ...]; weight (optional): floats [C].
 * Output   y: the type of x, the shape of target, or one number.
 * Rules    targets are in [0, C) or the ignored class, which counts neither in sums nor in the mean's divisor.
 * Source   ONNX NegativeLogLikelihoodLoss-22.
 */
public record NegativeLogLikelihoodLoss(LossReduction reduction, Optional<Long> ignored) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "NegativeLogLikelihoodLoss", n -> new NegativeLogLikelihoodLoss(LossReduction.of(n), ignored(n))));

    static Optional<Long> ignored(OnnxNode n) {
        return n.has("ignore_index") ? Optional.of(n.integer("ignore_index", 0)) : Optional.empty();
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        in.requireType(1, DataType.INT64, DataType.INT32);
        return List.of(new TensorType(in.dtype(0), reduction.shape(in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(reduction.negativeLogLikelihood(
                in, in.tensor(0), in.tensor(1), in.has(2) ? in.tensor(2) : null, ignored.orElse(null)));
    }
}
