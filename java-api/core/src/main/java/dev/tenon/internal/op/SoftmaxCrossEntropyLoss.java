package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * The negative log-likelihood of target classes after a softmax over classes.
 * Inputs   scores: floats [N, C, ...]; labels: INT32 or INT64 [N, ...]; weights (optional): floats [C].
 * Outputs  loss: the type of scores, the shape of labels, or one number; logProbabilities (optional): as scores.
 * Rules    labels are in [0, C) or the ignored class, which counts neither in sums nor in the mean's divisor.
 * Source   ONNX SoftmaxCrossEntropyLoss-13.
 */
public record SoftmaxCrossEntropyLoss(LossReduction reduction, Optional<Long> ignored) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "SoftmaxCrossEntropyLoss",
            n -> new SoftmaxCrossEntropyLoss(LossReduction.of(n), NegativeLogLikelihoodLoss.ignored(n))));

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        in.requireType(1, DataType.INT64, DataType.INT32);
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() >= 2, "the rank of scores must be at least 2");
        return List.of(new TensorType(in.dtype(0), reduction.shape(in.shape(1))), in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor scores = in.tensor(0);
        in.require(scores.shape().rank() >= 2, "the rank of scores must be at least 2");
        Tensor rows = Rows.last(in, scores, 1);
        Tensor logs = in.allocate(scores.type(), rows.shape());
        double[] row = new double[Limits.arrayLength(in, scores.shape().dim(1))];
        for (long from = 0; from < scores.size(); from += row.length) {
            Blocks.load(rows, from, row, 0, row.length);
            SoftmaxKind.LOG.apply(row);
            Blocks.store(logs, from, row, 0, row.length);
        }
        Tensor logProbabilities = Rows.back(in, logs, 1);
        Tensor loss = reduction.negativeLogLikelihood(
                in, logProbabilities, in.tensor(1), in.has(2) ? in.tensor(2) : null, ignored.orElse(null));
        return List.of(loss, logProbabilities);
    }
}
