package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.SymbolicShape;
import org.jspecify.annotations.Nullable;

/** How losses of single samples become the result. */
public enum LossReduction {
    NONE,
    SUM,
    /** The sum over the sum of the weights that counted. */
    MEAN;

    static LossReduction of(OnnxNode n) {
        return switch (n.text("reduction", "mean")) {
            case "none" -> NONE;
            case "sum" -> SUM;
            case "mean" -> MEAN;
            default ->
                throw n.error("attribute 'reduction' is '" + n.text("reduction", "mean")
                        + "'; expected 'none', 'sum' or 'mean'");
        };
    }

    SymbolicShape shape(SymbolicShape targets) {
        return this == NONE ? targets : SymbolicShape.SCALAR;
    }

    /**
     * The weighted negative log-likelihoods of the targets, reduced.
     *
     * @param logs log-probabilities [N, C, ...]
     * @param targets classes [N, ...]
     * @param weights a weight a class, or null for 1
     * @param ignored the class that does not count, or null
     */
    Tensor negativeLogLikelihood(
            Evaluation in, Tensor logs, Tensor targets, @Nullable Tensor weights, @Nullable Long ignored) {
        Shape s = logs.shape();
        in.require(s.rank() >= 2 && targets.shape().rank() == s.rank() - 1, "targets need one axis less than scores");
        for (int d = 0; d < targets.shape().rank(); d++) {
            in.require(targets.shape().dim(d) == s.dim(d == 0 ? 0 : d + 1), "shapes of scores and targets differ");
        }
        long classes = s.dim(1);
        in.require(
                weights == null || weights.size() == classes,
                "there must be one weight for each of " + classes + " classes");
        long inner = s.product(2, s.rank());
        Tensor y = in.allocate(logs.type(), this == NONE ? targets.shape() : Shape.scalar());
        double sum = 0;
        double weight = 0;
        for (long i = 0; i < targets.size(); i++) {
            long c = targets.getLong(i);
            if (ignored != null && c == ignored) {
                continue;
            }
            in.require(c >= 0 && c < classes, "target " + c + " is outside [0, " + (classes - 1) + "]");
            double w = weights == null ? 1 : weights.getDouble(c);
            double loss = -w * logs.getDouble((i / inner * classes + c) * inner + i % inner);
            weight += w;
            sum += loss;
            if (this == NONE) {
                y.setDouble(i, loss);
            }
        }
        if (this != NONE) {
            y.setDouble(0, this == MEAN ? sum / weight : sum);
        }
        return y;
    }
}
