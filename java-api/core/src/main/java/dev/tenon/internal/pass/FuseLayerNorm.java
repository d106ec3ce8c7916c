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
import dev.tenon.internal.op.LayerNorm;
import dev.tenon.internal.op.Reduce;
import dev.tenon.internal.op.ReduceFn;
import dev.tenon.internal.op.UnaryFn;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  d / Sqrt(ReduceMean(d^2) + epsilon)  with  d = x - ReduceMean(x), both means over the last axis,
 *      ->   LayerNormalization(x, ones).
 * Then {@link FuseLayerNormScale} takes in the product and sum that follow. Needs: constants folded.
 * Source: Ba, Kiros and Hinton 2016, equation 3, as PyTorch exports it below opset 17.
 */
final class FuseLayerNorm implements Rule {
    @Override
    public String name() {
        return "fuse-layer-norm";
    }

    @Override
    public Optional<Patch> match(Graph g, Node div, PassContext context) {
        if (!Patterns.is(div, BinaryFn.DIV) || !Patterns.isFloat32(div.output(0))) {
            return Optional.empty();
        }
        Value d = div.input(0);
        Node sub = Patterns.binary(g, d, BinaryFn.SUB);
        Node sqrt = Patterns.unary(g, div.input(1), UnaryFn.SQRT);
        Node plus = sqrt == null ? null : Patterns.binary(g, sqrt.input(0), BinaryFn.ADD);
        if (sub == null || plus == null) {
            return Optional.empty();
        }
        int epsilonAt = g.isConstant(plus.input(1)) ? 1 : 0;
        Node variance = meanOverLastAxis(g, plus.input(1 - epsilonAt));
        Node mean = meanOverLastAxis(g, sub.input(1));
        if (variance == null
                || mean == null
                || mean.input(0) != sub.input(0)
                || Patterns.scalar(g, plus.input(epsilonAt)).isEmpty()
                || !isSquare(g, variance.input(0), d)) {
            return Optional.empty();
        }
        Value x = sub.input(0);
        // Without a known size there is no vector of ones.
        if (!(Patterns.shape(x).isRanked() && Patterns.shape(x).dim(-1) instanceof Dim.Known(long size))) {
            return Optional.empty();
        }
        Tensor ones = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(size));
        for (long i = 0; i < size; i++) {
            ones.setDouble(i, 1);
        }
        float epsilon = (float) Patterns.scalar(g, plus.input(epsilonAt)).getAsDouble();
        Patch p = Patch.of(sub, mean, variance, plus, sqrt, div);
        return Optional.of(p.replace(
                div.output(0),
                new LayerNorm(-1, epsilon),
                x,
                p.constant(div.output(0).name() + "_ones", ones)));
    }

    static @Nullable Node meanOverLastAxis(Graph g, Value v) {
        Node n = Patterns.producer(g, v, Reduce.class);
        if (n == null || ((Reduce) n.op()).fn() != ReduceFn.MEAN || !((Reduce) n.op()).keepDims()) {
            return null;
        }
        Tensor axes = g.constant(n.input(1)).orElse(null);
        if (axes == null || axes.size() != 1 || !Patterns.shape(n.input(0)).isRanked()) {
            return null;
        }
        long axis = axes.getLong(0);
        return axis == -1 || axis == Patterns.shape(n.input(0)).rank() - 1 ? n : null;
    }

    static boolean isSquare(Graph g, Value v, Value d) {
        Node n = g.producer(v).orElse(null);
        if (n == null) {
            return false;
        }
        return (Patterns.is(n, BinaryFn.POW) && n.input(0) == d && Patterns.isScalar(g, n.input(1), 2))
                || (Patterns.is(n, BinaryFn.MUL) && n.inputs().equals(List.of(d, d)));
    }
}
