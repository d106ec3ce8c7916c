package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  x * Sigmoid(x)          ->  Swish(x)
 *           x * HardSigmoid(x)      ->  HardSwish(x)
 *           x * Tanh(Softplus(x))   ->  Mish(x)
 * Before: fuse-product-epilogues, fuse-elementwise.
 * Source: Ramachandran, Zoph and Le 2017; Howard et al. 2019; Misra 2019.
 */
final class FuseSwish implements Rule {
    @Override
    public String name() {
        return "fuse-swish";
    }

    @Override
    public Optional<Patch> match(Graph g, Node mul, PassContext context) {
        if (!Patterns.is(mul, BinaryFn.MUL) || !Patterns.isFloat32(mul.output(0))) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            Value x = mul.input(i);
            Node gate = Patterns.onlyProducer(g, mul.input(1 - i), Unary.class);
            Unary fused = gate == null ? null : gated(g, gate, x);
            if (fused != null) {
                return Optional.of(Patch.of(gate, mul).replace(mul.output(0), fused, x));
            }
        }
        return Optional.empty();
    }

    /** x times the gate as one function of x. */
    private static @Nullable Unary gated(Graph g, Node gate, Value x) {
        Unary u = (Unary) gate.op();
        return switch (u.fn()) {
            case SIGMOID -> gate.input(0) == x ? Unary.of(UnaryFn.SILU) : null;
            case HARD_SIGMOID -> gate.input(0) == x ? new Unary(UnaryFn.HARD_SWISH, u.alpha(), u.beta()) : null;
            case TANH -> {
                Node softplus = Patterns.unary(g, gate.input(0), UnaryFn.SOFTPLUS);
                yield softplus != null && softplus.input(0) == x ? Unary.of(UnaryFn.MISH) : null;
            }
            default -> null;
        };
    }
}
