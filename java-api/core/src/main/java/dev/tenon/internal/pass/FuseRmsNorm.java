package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.RmsNorm;
import dev.tenon.internal.op.UnaryFn;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  x / Sqrt(ReduceMean(x^2) + epsilon), also as a product with 1 / Sqrt(...), the mean over the last axis,
 *      ->   RMSNormalization(x, ones).
 * Then fuse-layer-norm-scale takes in the product that follows. Needs: constants folded.
 * Source: Zhang and Sennrich 2019, equation 4.
 */
final class FuseRmsNorm implements Rule {
    @Override
    public String name() {
        return "fuse-rms-norm";
    }

    @Override
    public Optional<Patch> match(Graph g, Node root, PassContext context) {
        if (!Patterns.isFloat32(root.output(0))) {
            return Optional.empty();
        }
        if (Patterns.is(root, BinaryFn.DIV)) {
            return rewrite(g, root, root.input(0), root.input(1), context);
        }
        if (Patterns.is(root, BinaryFn.MUL)) {
            for (int i = 0; i < 2; i++) {
                Value under = inverted(g, root.input(1 - i));
                Optional<Patch> p = under == null ? Optional.empty() : rewrite(g, root, root.input(i), under, context);
                if (p.isPresent()) {
                    return p;
                }
            }
        }
        return Optional.empty();
    }

    /** d, where v = 1 / d. */
    private static @Nullable Value inverted(Graph g, Value v) {
        Node reciprocal = Patterns.unary(g, v, UnaryFn.RECIPROCAL);
        if (reciprocal != null) {
            return reciprocal.input(0);
        }
        Node div = Patterns.binary(g, v, BinaryFn.DIV);
        return div != null && Patterns.isScalar(g, div.input(0), 1) ? div.input(1) : null;
    }

    private static Optional<Patch> rewrite(Graph g, Node root, Value x, Value divisor, PassContext context) {
        Node sqrt = Patterns.unary(g, divisor, UnaryFn.SQRT);
        Node plus = sqrt == null ? null : Patterns.binary(g, sqrt.input(0), BinaryFn.ADD);
        if (plus == null) {
            return Optional.empty();
        }
        int epsilonAt = g.isConstant(plus.input(1)) ? 1 : 0;
        Node mean = FuseLayerNorm.meanOverLastAxis(g, plus.input(1 - epsilonAt));
        if (mean == null
                || Patterns.scalar(g, plus.input(epsilonAt)).isEmpty()
                || !FuseLayerNorm.isSquare(g, mean.input(0), x)
                || !(Patterns.shape(x).dim(-1) instanceof Dim.Known(long size))) {
            return Optional.empty();
        }
        Tensor ones = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(size));
        for (long i = 0; i < size; i++) {
            ones.setDouble(i, 1);
        }
        float epsilon = (float) Patterns.scalar(g, plus.input(epsilonAt)).getAsDouble();
        Patch p = Patch.of(mean, plus, sqrt, root);
        Value scale = p.constant(root.output(0).name() + "_ones", ones);
        return Optional.of(p.replace(root.output(0), new RmsNorm(-1, epsilon), x, scale));
    }
}
