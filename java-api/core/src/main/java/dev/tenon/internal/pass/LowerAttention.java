package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Attention;
import dev.tenon.internal.op.FusedAttention;
import dev.tenon.internal.op.HeadLayout;
import dev.tenon.internal.op.Reshape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites  Attention(q, k, v, mask)  ->  FusedAttention(q, k, v, mask)
 * for its plain form: no past, no soft cap, no window, an additive mask or none, and only the result wanted. Operands of
 * shape [batch, length, heads * size] are reshaped, which moves nothing.
 */
final class LowerAttention implements Rule {
    @Override
    public String name() {
        return "lower-attention";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof Attention a) || !isPlain(a, n)) {
            return Optional.empty();
        }
        Patch p = Patch.of(n);
        boolean packed = Patterns.shape(n.input(0)).rank() == 3;
        HeadLayout layout = packed ? HeadLayout.LENGTH_FIRST : HeadLayout.HEADS_FIRST;
        List<Value> inputs = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            long heads = i == 0 ? a.queryHeads() : a.keyHeads();
            Value v = packed ? split(p, n.input(i), heads, context) : n.input(i);
            if (v == null) {
                return Optional.empty();
            }
            inputs.add(v);
        }
        SymbolicShape q = Patterns.shape(inputs.get(0));
        SymbolicShape k = Patterns.shape(inputs.get(1));
        Dim queries = q.dim(layout.length);
        Dim keys = k.dim(layout.length);
        if (!(q.dim(3) instanceof Dim.Known(long size)) || (a.causal() && !queries.equals(keys))) {
            return Optional.empty();
        }
        if (n.hasInput(3)) {
            SymbolicShape mask = Patterns.shape(n.input(3));
            // A mask may cover fewer keys than there are; the fused form has no such thing.
            if (!Patterns.isFloat32(n.input(3))
                    || !mask.isRanked()
                    || mask.rank() < 1
                    || !mask.dim(-1).equals(keys)) {
                return Optional.empty();
            }
            inputs.add(n.input(3));
        }
        float scale = Float.isNaN(a.scale()) ? (float) (1 / Math.sqrt(size)) : a.scale();
        FusedAttention fused = new FusedAttention(scale, a.causal(), layout, layout, layout, layout);
        if (!packed) {
            return Optional.of(p.replace(n.output(0), fused, inputs));
        }
        long valueSize = Patterns.shape(inputs.get(2)).size(3);
        SymbolicShape heads = SymbolicShape.of(q.dim(0), q.dim(1), q.dim(2), Dim.of(valueSize));
        Value y = p.node(
                n.output(0).name() + "_heads",
                new TensorType(DataType.FLOAT32, heads),
                fused,
                inputs.toArray(Value[]::new));
        Value target = p.constant(n.output(0).name() + "_shape", longs(context, 0, 0, a.queryHeads() * valueSize));
        return Optional.of(p.replace(n.output(0), new Reshape(false), y, target));
    }

    private static boolean isPlain(Attention a, Node n) {
        boolean operands = true;
        for (int i = 0; i < 3; i++) {
            operands &= Patterns.isFloat32(n.input(i))
                    && Patterns.shape(n.input(i)).isRanked()
                    && Patterns.shape(n.input(i)).rank() >= 3;
        }
        return operands
                && !n.hasInput(4)
                && !n.hasInput(5)
                && !n.hasInput(6)
                && n.outputs().stream().skip(1).allMatch(Value::isAbsent)
                && a.softcap() == 0
                && a.leftWindow() == -1
                && a.rightWindow() == -1;
    }

    /** [batch, length, heads * size] as [batch, length, heads, size]. */
    private static @Nullable Value split(Patch p, Value v, long heads, PassContext context) {
        SymbolicShape s = Patterns.shape(v);
        if (!(s.dim(2) instanceof Dim.Known(long width))
                || heads <= 0
                || width % heads != 0
                || s.dim(1).is(0)) {
            return null;
        }
        SymbolicShape shape = SymbolicShape.of(s.dim(0), s.dim(1), Dim.of(heads), Dim.of(width / heads));
        return p.node(
                v.name() + "_heads",
                new TensorType(DataType.FLOAT32, shape),
                new Reshape(false),
                v,
                p.constant(v.name() + "_heads_shape", longs(context, 0, 0, heads, width / heads)));
    }

    private static Tensor longs(PassContext context, long... values) {
        Tensor t = Tensor.allocate(context.constants(), DataType.INT64, Shape.of(values.length));
        t.copyFrom(values);
        return t;
    }
}
