package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.Gemm;
import java.util.Optional;

/** Rewrites  Gemm(a, b, c)  ->  FusedMatMul(a, b, c)  where beta is 1, c is absent, or beta can be multiplied into a constant c. */
final class LowerGemm implements Rule {
    @Override
    public String name() {
        return "lower-gemm";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Gemm gemm) || !Patterns.isFloat32(n.output(0))) {
            return Optional.empty();
        }
        Patch patch = Patch.of(n);
        Value bias = n.input(2);
        if (!bias.isAbsent() && gemm.beta() != 1) {
            Tensor c = g.constant(bias).orElse(null);
            if (c == null || c.isPacked()) {
                return Optional.empty();
            }
            Tensor scaled = Tensor.allocate(context.constants(), c.type(), c.shape());
            for (long i = 0; i < c.size(); i++) {
                scaled.setDouble(i, gemm.beta() * c.getDouble(i));
            }
            bias = patch.constant(bias.name() + "_scaled", scaled);
        }
        return Optional.of(patch.replace(
                n.output(0),
                new FusedMatMul(gemm.transA(), gemm.transB(), gemm.alpha(), false, Optional.empty()),
                n.input(0),
                n.input(1),
                bias));
    }
}
