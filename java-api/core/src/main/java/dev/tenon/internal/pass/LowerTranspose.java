package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.op.Reshape;
import java.util.List;
import java.util.Optional;

/**
 * Rewrites  Transpose(x)  ->  Reshape(x)  where all axes that change places but one have size 1: no element moves.
 * Needs: fuse-attention and fuse-matmul-transpose, which look for transposes.
 */
final class LowerTranspose implements Rule {
    @Override
    public String name() {
        return "lower-transpose";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        List<Long> order = SimplifyTranspose.order(n);
        SymbolicShape x = order == null ? SymbolicShape.UNRANKED : Patterns.shape(n.input(0));
        if (order == null || !x.isConcrete() || !Patterns.shape(n.output(0)).isConcrete()) {
            return Optional.empty();
        }
        long last = -1;
        for (long axis : order) {
            if (!x.dim((int) axis).is(1)) {
                if (axis < last) {
                    return Optional.empty();
                }
                last = axis;
            }
        }
        Tensor target = Tensor.allocate(context.constants(), DataType.INT64, Shape.of(order.size()));
        target.copyFrom(Patterns.shape(n.output(0)).concrete().dims());
        Patch p = Patch.of(n);
        return Optional.of(p.replace(
                n.output(0),
                new Reshape(true),
                n.input(0),
                p.constant(n.output(0).name() + "_shape", target)));
    }
}
