package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.MatMul;
import java.util.Optional;

/**
 * Rewrites  Add(MatMul(a, b), bias)  ->  FusedMatMul(a, b, bias)  for a constant row as bias.
 * Before: fuse-product-epilogues, which wants the bias first.
 */
final class FuseMatMulBias implements Rule {
    @Override
    public String name() {
        return "fuse-matmul-bias";
    }

    @Override
    public Optional<Patch> match(Graph g, Node add, PassContext context) {
        if (!Patterns.is(add, BinaryFn.ADD) || !Patterns.isFloat32(add.output(0))) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            Node product = Patterns.onlyProducer(g, add.input(i), MatMul.class);
            Value bias = add.input(1 - i);
            if (product != null && g.isConstant(bias) && isRow(bias, product)) {
                return Optional.of(Patch.of(product, add)
                        .replace(
                                add.output(0),
                                new FusedMatMul(false, false, 1, false, Optional.empty()),
                                product.input(0),
                                product.input(1),
                                bias));
            }
        }
        return Optional.empty();
    }

    /** True if adding {@code bias} changes no shape and adds one number to each column. */
    private static boolean isRow(Value bias, Node product) {
        SymbolicShape out = Patterns.shape(product.output(0));
        SymbolicShape a = Patterns.shape(product.input(0));
        SymbolicShape b = Patterns.shape(product.input(1));
        SymbolicShape s = Patterns.shape(bias);
        return a.isRanked()
                && b.isRanked()
                && a.rank() >= 2
                && b.rank() >= 2
                && s.rank() == 1
                && out.isRanked()
                && s.dim(0).equals(out.dim(-1));
    }
}
