package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Patch;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Conv;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Multiplies constants for each channel into the weights of the convolution before them:
 *   Mul(Conv(x, w, b), s)  ->  Conv(x, s w, s b)     not if exact: the products are rounded elsewhere
 *   Add(Conv(x, w, b), t)  ->  Conv(x, w, b + t)
 * Needs: fold-batch-norm. Before: fuse-product-epilogues.
 */
final class FoldChannelScale implements Rule {
    @Override
    public String name() {
        return "fold-channel-scale";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        boolean scales = Patterns.is(n, BinaryFn.MUL) && !context.exact();
        if (!scales && !Patterns.is(n, BinaryFn.ADD)) {
            return Optional.empty();
        }
        for (int i = 0; i < 2; i++) {
            Node conv = Patterns.onlyProducer(g, n.input(i), Conv.class);
            Tensor c = g.constant(n.input(1 - i)).orElse(null);
            if (conv == null || c == null || !Patterns.isFloat32(n.output(0)) || !Patterns.isFloat32(conv.input(1))) {
                continue;
            }
            Tensor weights = g.constant(conv.input(1)).orElse(null);
            boolean hasBias = conv.hasInput(2);
            Tensor bias = hasBias ? g.constant(conv.input(2)).orElse(null) : null;
            if (weights == null
                    || weights.isPacked()
                    || c.isPacked()
                    || (hasBias && (bias == null || bias.isPacked()))
                    || !isForEachChannel(
                            c.shape(),
                            Patterns.shape(conv.output(0)),
                            weights.shape().dim(0))) {
                continue;
            }
            return Optional.of(
                    scales ? scaled(n, conv, weights, bias, c, context) : shifted(n, conv, bias, c, context));
        }
        return Optional.empty();
    }

    /** True if the constant has one element, or one for each channel, and broadcasts without making the result larger. */
    private static boolean isForEachChannel(Shape c, SymbolicShape out, long channels) {
        if (!out.isRanked() || c.rank() > out.rank()) {
            return false;
        }
        int channelAxis = c.rank() - (out.rank() - 1);
        for (int i = 0; i < c.rank(); i++) {
            if (c.dim(i) != 1 && (i != channelAxis || c.dim(i) != channels)) {
                return false;
            }
        }
        return out.dim(1).equals(Dim.of(channels));
    }

    private static Patch scaled(
            Node mul, Node conv, Tensor weights, @Nullable Tensor bias, Tensor c, PassContext context) {
        Tensor w = Tensor.allocate(context.constants(), DataType.FLOAT32, weights.shape());
        long channels = weights.shape().dim(0);
        long perChannel = weights.size() / channels;
        for (long i = 0; i < w.size(); i++) {
            w.setDouble(i, weights.getDouble(i) * c.getDouble(c.size() == 1 ? 0 : i / perChannel));
        }
        Patch p = Patch.of(conv, mul);
        Value newBias = Value.ABSENT;
        if (bias != null) {
            Tensor b = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(channels));
            for (long i = 0; i < channels; i++) {
                b.setDouble(i, bias.getDouble(i) * c.getDouble(c.size() == 1 ? 0 : i));
            }
            newBias = p.constant(conv.input(2).name() + "_scaled", b);
        }
        Value newWeights = p.constant(conv.input(1).name() + "_scaled", w);
        return p.replace(mul.output(0), conv.op(), conv.input(0), newWeights, newBias);
    }

    private static Patch shifted(Node add, Node conv, @Nullable Tensor bias, Tensor c, PassContext context) {
        long channels = Patterns.shape(conv.input(1)).size(0);
        Tensor b = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(channels));
        for (long i = 0; i < channels; i++) {
            b.setDouble(i, (bias == null ? 0 : bias.getDouble(i)) + c.getDouble(c.size() == 1 ? 0 : i));
        }
        Patch p = Patch.of(conv, add);
        Value newBias = p.constant(add.output(0).name() + "_bias", b);
        return p.replace(add.output(0), conv.op(), conv.input(0), conv.input(1), newBias);
    }
}
