package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Variadic;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  Sum(a, b, c)  ->  Add(Add(a, b), c),  Min and Max likewise;  of one input  ->  the input by way of remove-no-ops.
 * Before: fuse-product-epilogues, fuse-elementwise.
 */
final class LowerVariadic implements Rule {
    @Override
    public String name() {
        return "lower-variadic";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Variadic v) || n.inputs().size() < 2) {
            return Optional.empty();
        }
        BinaryFn fn = step(v);
        if (fn == null) {
            return Optional.empty();
        }
        Patch p = Patch.of(n);
        Value sum = n.input(0);
        int last = n.inputs().size() - 1;
        for (int i = 1; i < last; i++) {
            SymbolicShape shape = SymbolicShape.broadcast(Patterns.shape(sum), Patterns.shape(n.input(i)));
            sum = p.node(
                    n.output(0).name() + "_" + i,
                    new TensorType(n.output(0).tensorType().dtype(), shape),
                    new Binary(fn),
                    sum,
                    n.input(i));
        }
        return Optional.of(p.replace(n.output(0), new Binary(fn), sum, n.input(last)));
    }

    private static @Nullable BinaryFn step(Variadic v) {
        return switch (v.fn()) {
            case SUM -> BinaryFn.ADD;
            case MIN -> BinaryFn.MIN;
            case MAX -> BinaryFn.MAX;
            case MEAN -> null;
        };
    }
}
