package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.LayerNorm;
import dev.tenon.internal.op.RmsNorm;
import java.util.Optional;

/**
 * Rewrites  Mul(LayerNormalization(x, ones), scale)  ->  LayerNormalization(x, scale)
 *           Add(LayerNormalization(x, scale), bias)  ->  LayerNormalization(x, scale, bias),
 * and the product for RMSNormalization too.
 * Needs: fuse-layer-norm, fuse-rms-norm.
 */
final class FuseLayerNormScale implements Rule {
    @Override
    public String name() {
        return "fuse-layer-norm-scale";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        boolean product = Patterns.is(n, BinaryFn.MUL);
        if (!product && !Patterns.is(n, BinaryFn.ADD)) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            Node norm = Patterns.onlyProducer(g, n.input(i), LayerNorm.class);
            if (norm == null && product) {
                norm = Patterns.onlyProducer(g, n.input(i), RmsNorm.class);
            }
            Value other = n.input(1 - i);
            if (norm == null
                    || norm.hasInput(2)
                    || !g.isConstant(other)
                    || !Patterns.sameShape(other, norm.input(1))
                    || (product && !isOnes(g, norm.input(1)))) {
                continue;
            }
            return Optional.of(
                    product
                            ? Patch.of(norm, n).replace(n.output(0), norm.op(), norm.input(0), other)
                            : Patch.of(norm, n).replace(n.output(0), norm.op(), norm.input(0), norm.input(1), other));
        }
        return Optional.empty();
    }

    private static boolean isOnes(Graph g, Value v) {
        Tensor t = g.constant(v).orElse(null);
        if (t == null || t.isPacked()) {
            return false;
        }
        for (long i = 0; i < t.size(); i++) {
            if (t.getDouble(i) != 1) {
                return false;
            }
        }
        return true;
    }
}
