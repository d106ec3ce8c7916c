package dev.tenon.internal.pass;

import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Replaces slow arithmetic with constants by faster one:
 *   Pow(x, 2)    ->  x * x
 *   Pow(x, 0.5)  ->  Sqrt(x)          not if exact: they differ at -infinity
 *   x / c        ->  x * (1 / c)      if 1 / c is exact, or rounding it is allowed
 * Needs: constants folded.
 */
final class SimplifyArithmetic implements Rule {
    /** A table of constants over this size is rather divided by than copied. */
    private static final long MAX_DIVISORS = 1 << 16;

    @Override
    public String name() {
        return "simplify-arithmetic";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Binary(BinaryFn fn)) || !Patterns.isFloat32(n.output(0))) {
            return Optional.empty();
        }
        return switch (fn) {
            case POW -> power(g, n, context);
            case DIV -> quotient(g, n, context);
            default -> Optional.empty();
        };
    }

    private static Optional<Patch> power(Graph g, Node n, PassContext context) {
        OptionalDouble exponent = Patterns.scalar(g, n.input(1));
        Value x = n.input(0);
        if (exponent.isEmpty() || !Patterns.sameShape(x, n.output(0))) {
            return Optional.empty();
        }
        if (exponent.getAsDouble() == 2) {
            return Optional.of(Patch.of(n).replace(n.output(0), new Binary(BinaryFn.MUL), x, x));
        }
        if (exponent.getAsDouble() == 0.5 && !context.exact()) {
            return Optional.of(Patch.of(n).replace(n.output(0), Unary.of(UnaryFn.SQRT), x));
        }
        return Optional.empty();
    }

    private static Optional<Patch> quotient(Graph g, Node n, PassContext context) {
        Tensor c = g.constant(n.input(1)).orElse(null);
        if (c == null || c.isPacked() || c.size() > MAX_DIVISORS) {
            return Optional.empty();
        }
        Tensor r = Tensor.allocate(context.constants(), c.type(), c.shape());
        for (long i = 0; i < c.size(); i++) {
            float d = c.getFloat(i);
            float inverse = 1 / d;
            boolean powerOfTwo = (Float.floatToRawIntBits(d) & 0x7fffff) == 0;
            boolean normal = Math.abs(inverse) >= Float.MIN_NORMAL && Math.abs(inverse) <= Float.MAX_VALUE;
            if (!normal || (context.exact() && !powerOfTwo)) {
                return Optional.empty();
            }
            r.setDouble(i, inverse);
        }
        Patch p = Patch.of(n);
        return Optional.of(p.replace(
                n.output(0),
                new Binary(BinaryFn.MUL),
                n.input(0),
                p.constant(n.input(1).name() + "_inverse", r)));
    }
}
