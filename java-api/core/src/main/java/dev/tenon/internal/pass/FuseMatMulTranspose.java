package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.MatMul;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  MatMul(a, Transpose(b))  ->  FusedMatMul(a, b') for a transpose of the last two axes; a likewise.
 * Needs: fuse-attention.
 */
final class FuseMatMulTranspose implements Rule {
    @Override
    public String name() {
        return "fuse-matmul-transpose";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        FusedMatMul product;
        switch (n.op()) {
            case MatMul _ -> product = new FusedMatMul(false, false, 1, false, Optional.empty());
            case FusedMatMul m -> product = m;
            default -> {
                return Optional.empty();
            }
        }
        // A vector as the other operand makes MatMul another product than FusedMatMul.
        if (!Patterns.isFloat32(n.output(0)) || !isMatrix(n.input(0)) || !isMatrix(n.input(1))) {
            return Optional.empty();
        }
        Node a = lastTwoSwapped(g, n.input(0));
        Node b = lastTwoSwapped(g, n.input(1));
        if (a == null && b == null) {
            return Optional.empty();
        }
        List<Value> inputs = new ArrayList<>(n.inputs());
        if (a != null) {
            inputs.set(0, a.input(0));
        }
        if (b != null) {
            inputs.set(1, b.input(0));
        }
        FusedMatMul fused = new FusedMatMul(
                product.transA() ^ (a != null),
                product.transB() ^ (b != null),
                product.alpha(),
                product.residual(),
                product.activation());
        return Optional.of(Patch.of(n).replace(n.output(0), fused, inputs));
    }

    private static boolean isMatrix(Value v) {
        return Patterns.shape(v).isRanked() && Patterns.shape(v).rank() >= 2;
    }

    private static @Nullable Node lastTwoSwapped(Graph g, Value v) {
        Node n = g.producer(v).orElse(null);
        List<Long> order = n == null ? null : SimplifyTranspose.order(n);
        if (n == null || order == null || order.size() < 2) {
            return null;
        }
        int rank = order.size();
        for (int i = 0; i < rank - 2; i++) {
            if (order.get(i) != i) {
                return null;
            }
        }
        return order.get(rank - 1) == rank - 2 ? n : null;
    }
}
