package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.op.GlobalPool;
import dev.tenon.internal.op.Reduce;
import dev.tenon.internal.op.ReduceFn;
import java.util.Arrays;
import java.util.Optional;

/**
 * Rewrites  ReduceMean(x) over both spatial axes of [batch, channels, height, width], axes kept  ->  GlobalAveragePool(x),
 * which works on the layouts that convolutions write. Needs: constants folded.
 */
final class LowerMean implements Rule {
    @Override
    public String name() {
        return "lower-mean";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Reduce r) || r.fn() != ReduceFn.MEAN || !r.keepDims()) {
            return Optional.empty();
        }
        SymbolicShape x = Patterns.shape(n.input(0));
        Tensor axes = g.constant(n.input(1)).orElse(null);
        if (axes == null || !Patterns.isFloat32(n.input(0)) || !x.isRanked() || x.rank() != 4) {
            return Optional.empty();
        }
        long[] sorted = Arrays.stream(axes.toLongArray())
                .map(a -> a < 0 ? a + 4 : a)
                .sorted()
                .toArray();
        if (!Arrays.equals(sorted, new long[] {2, 3})
                || x.dim(2).is(0)
                || x.dim(3).is(0)) {
            return Optional.empty();
        }
        return Optional.of(Patch.of(n).replace(n.output(0), new GlobalPool(GlobalPool.Kind.AVERAGE, 0), n.input(0)));
    }
}
