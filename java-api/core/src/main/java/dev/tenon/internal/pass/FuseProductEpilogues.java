package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Conv;
import dev.tenon.internal.op.FusedConv;
import dev.tenon.internal.op.FusedMatMul;
import dev.tenon.internal.op.MatMul;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lets convolutions and matrix products finish their own result before they store it:
 *   Add(product, residual)   ->  product + residual, for a residual of the same shape
 *   activation(product)      ->  product with the activation
 * The result is activation(product + bias + residual): a residual never follows an activation.
 * Needs: fuse-matmul-bias, fold-batch-norm, fuse-gelu. Before: fuse-elementwise, which would take the activations.
 */
final class FuseProductEpilogues implements Rule {
    private static final Set<UnaryFn> ACTIVATIONS = EnumSet.of(
            UnaryFn.RELU,
            UnaryFn.LEAKY_RELU,
            UnaryFn.CLIP,
            UnaryFn.SIGMOID,
            UnaryFn.TANH,
            UnaryFn.GELU_ERF,
            UnaryFn.GELU_TANH,
            UnaryFn.HARD_SIGMOID,
            UnaryFn.HARD_SWISH,
            UnaryFn.SILU,
            UnaryFn.ELU);

    /** A product with what it does already. */
    private record Product(Node node, Value bias, @Nullable Value residual, Optional<Unary> activation) {
        Op with(boolean withResidual, Optional<Unary> newActivation) {
            return switch (node.op()) {
                case Conv c -> new FusedConv(c, withResidual, newActivation);
                case FusedConv c -> new FusedConv(c.conv(), withResidual, newActivation);
                case FusedMatMul m -> new FusedMatMul(m.transA(), m.transB(), m.alpha(), withResidual, newActivation);
                default -> new FusedMatMul(false, false, 1, withResidual, newActivation);
            };
        }

        List<Value> inputs(@Nullable Value newResidual) {
            List<Value> in = new ArrayList<>(List.of(node.input(0), node.input(1), bias));
            if (newResidual != null) {
                in.add(newResidual);
            }
            return in;
        }
    }

    @Override
    public String name() {
        return "fuse-product-epilogues";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (n.op() instanceof Unary u && ACTIVATIONS.contains(u.fn())) {
            Product p = product(g, n.input(0));
            if (p != null && p.activation.isEmpty()) {
                return Optional.of(Patch.of(p.node, n)
                        .replace(n.output(0), p.with(p.residual != null, Optional.of(u)), p.inputs(p.residual)));
            }
        }
        if (n.op() instanceof Binary(BinaryFn fn) && fn == BinaryFn.ADD) {
            for (int i = 0; i < 2; i++) {
                Product p = product(g, n.input(i));
                Value other = n.input(1 - i);
                if (p != null
                        && p.activation.isEmpty()
                        && p.residual == null
                        && !g.isConstant(other)
                        && other != n.input(i)
                        && Patterns.sameShape(other, n.input(i))) {
                    return Optional.of(
                            Patch.of(p.node, n).replace(n.output(0), p.with(true, Optional.empty()), p.inputs(other)));
                }
            }
        }
        return Optional.empty();
    }

    private static @Nullable Product product(Graph g, Value v) {
        if (!g.hasSingleUse(v) || !Patterns.isFloat32(v)) {
            return null;
        }
        Node n = g.producer(v).orElse(null);
        if (n == null) {
            return null;
        }
        return switch (n.op()) {
            case Conv c -> new Product(n, n.input(2), null, Optional.empty());
            case FusedConv c -> new Product(n, n.input(2), c.residual() ? n.input(3) : null, c.activation());
            case MatMul m when isMatrix(n) -> new Product(n, Value.ABSENT, null, Optional.empty());
            case FusedMatMul m -> new Product(n, n.input(2), m.residual() ? n.input(3) : null, m.activation());
            default -> null;
        };
    }

    private static boolean isMatrix(Node n) {
        return Patterns.shape(n.input(0)).isRanked()
                && Patterns.shape(n.input(1)).isRanked()
                && Patterns.shape(n.input(0)).rank() >= 2
                && Patterns.shape(n.input(1)).rank() >= 2;
    }
}
