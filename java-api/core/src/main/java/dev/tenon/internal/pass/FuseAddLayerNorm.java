package dev.tenon.internal.pass;

import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.AddLayerNorm;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Rewrites  s = Add(x, residual);  LayerNormalization(s)  ->  AddLayerNorm(x, residual), which writes the sum too if others
 * read it. Needs: fuse-product-epilogues, which adds residuals at no cost. Before: fuse-elementwise.
 */
final class FuseAddLayerNorm implements Rule {
    @Override
    public String name() {
        return "fuse-add-layer-norm";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof LayerNorm norm)
                || n.outputs().stream().skip(1).anyMatch(v -> !v.isAbsent())
                || !Patterns.isFloat32(n.output(0))) {
            return Optional.empty();
        }
        Value sum = n.input(0);
        Node add = Patterns.binary(g, sum, BinaryFn.ADD);
        if (add == null
                || !Patterns.sameShape(add.input(0), sum)
                || !Patterns.sameShape(add.input(1), sum)
                || g.isConstant(add.input(0))
                || g.isConstant(add.input(1))
                || !n.inputs().stream().skip(1).allMatch(v -> v.isAbsent() || g.isConstant(v))) {
            return Optional.empty();
        }
        List<Value> inputs = new ArrayList<>(List.of(add.input(0), add.input(1)));
        inputs.addAll(n.inputs().subList(1, n.inputs().size()));
        Value y = new Value(n.output(0).name(), n.output(0).type());
        Value s = g.hasSingleUse(sum) ? Value.ABSENT : new Value(sum.name(), sum.type());
        Patch p = Patch.of(add, n);
        List<Value> outputs = s.isAbsent() ? List.of(y) : List.of(y, s);
        p.add(new Node(new AddLayerNorm(norm.axis(), norm.epsilon()), inputs, outputs, p.origin()))
                .replace(n.output(0), y);
        return Optional.of(s.isAbsent() ? p : p.replace(sum, s));
    }
}
