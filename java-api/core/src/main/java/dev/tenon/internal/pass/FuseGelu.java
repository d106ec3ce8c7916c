package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  0.5 x (1 + Erf(x / sqrt(2)))                              ->  GeluErf(x)
 *           0.5 x (1 + Tanh(sqrt(2 / pi) (x + 0.044715 x^3)))         ->  GeluTanh(x)
 * with the factors in any order. Needs: constants folded. Before: fuse-product-epilogues, fuse-elementwise.
 * Source: Hendrycks and Gimpel 2016, as PyTorch exports it at every opset below 20.
 */
final class FuseGelu implements Rule {
    @Override
    public String name() {
        return "fuse-gelu";
    }

    @Override
    public Optional<Patch> match(Graph g, Node root, PassContext context) {
        if (!Patterns.is(root, BinaryFn.MUL) || !Patterns.isFloat32(root.output(0))) {
            return Optional.empty();
        }
        List<Value> factors = new ArrayList<>();
        List<Node> matched = new ArrayList<>();
        collectFactors(g, root, factors, matched);
        if (factors.size() != 3) {
            return Optional.empty();
        }
        for (int half = 0; half < 3; half++) {
            for (int x = 0; x < 3; x++) {
                if (x == half || !Patterns.isScalar(g, factors.get(half), 0.5)) {
                    continue;
                }
                UnaryFn fn = kind(g, factors.get(3 - half - x), factors.get(x), matched);
                if (fn != null) {
                    return Optional.of(Patch.of(matched).replace(root.output(0), Unary.of(fn), factors.get(x)));
                }
            }
        }
        return Optional.empty();
    }

    /** The leaves of a tree of products; inner products must have no other reader. */
    private static void collectFactors(Graph g, Node n, List<Value> factors, List<Node> matched) {
        matched.add(n);
        for (Value v : n.inputs()) {
            Node p = Patterns.binary(g, v, BinaryFn.MUL);
            if (p != null && g.hasSingleUse(v) && factors.size() < 3) {
                collectFactors(g, p, factors, matched);
            } else {
                factors.add(v);
            }
        }
    }

    private static @Nullable UnaryFn kind(Graph g, Value onePlus, Value x, List<Node> matched) {
        Node add = Patterns.binary(g, onePlus, BinaryFn.ADD);
        Value inner = add == null ? null : Patterns.otherThan(g, add, 1);
        if (inner == null) {
            return null;
        }
        Node erf = Patterns.unary(g, inner, UnaryFn.ERF);
        if (erf != null && isScaled(g, erf.input(0), x, Math.sqrt(0.5))) {
            matched.addAll(List.of(add, erf));
            return UnaryFn.GELU_ERF;
        }
        Node tanh = Patterns.unary(g, inner, UnaryFn.TANH);
        if (tanh != null && isTanhArgument(g, tanh.input(0), x)) {
            matched.addAll(List.of(add, tanh));
            return UnaryFn.GELU_TANH;
        }
        return null;
    }

    /** v = x * factor, written as a product or a quotient. */
    private static boolean isScaled(Graph g, Value v, Value x, double factor) {
        Node mul = Patterns.binary(g, v, BinaryFn.MUL);
        if (mul != null) {
            return Patterns.otherThan(g, mul, factor) == x;
        }
        Node div = Patterns.binary(g, v, BinaryFn.DIV);
        return div != null && div.input(0) == x && Patterns.isScalar(g, div.input(1), 1 / factor);
    }

    /** v = sqrt(2 / pi) * (x + 0.044715 * x^3). */
    private static boolean isTanhArgument(Graph g, Value v, Value x) {
        Node mul = Patterns.binary(g, v, BinaryFn.MUL);
        Value sum = mul == null ? null : Patterns.otherThan(g, mul, Math.sqrt(2 / Math.PI));
        Node add = sum == null ? null : Patterns.binary(g, sum, BinaryFn.ADD);
        if (add == null || (add.input(0) != x && add.input(1) != x)) {
            return false;
        }
        Node term = Patterns.binary(g, add.input(0) == x ? add.input(1) : add.input(0), BinaryFn.MUL);
        Value cube = term == null ? null : Patterns.otherThan(g, term, 0.044715);
        return cube != null && isCube(g, cube, x);
    }

    private static boolean isCube(Graph g, Value v, Value x) {
        Node pow = Patterns.binary(g, v, BinaryFn.POW);
        if (pow != null) {
            return pow.input(0) == x && Patterns.isScalar(g, pow.input(1), 3);
        }
        Node mul = Patterns.binary(g, v, BinaryFn.MUL);
        if (mul == null) {
            return false;
        }
        Value square = mul.input(0) == x ? mul.input(1) : mul.input(0);
        Node inner = Patterns.binary(g, square, BinaryFn.MUL);
        return (mul.input(0) == x || mul.input(1) == x) && inner != null && inner.input(0) == x && inner.input(1) == x;
    }
}
