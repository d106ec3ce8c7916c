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
import dev.tenon.internal.op.BatchNorm;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import java.util.Arrays;
import java.util.Optional;

/**
 * Batch normalisation at inference, with constant statistics, is a product and a sum for each channel:
 *   BatchNormalization(x)  ->  Add(Mul(x, scale / sqrt(variance + epsilon)), bias - mean * ...)
 * Before: fold-channel-scale, which multiplies both into the weights of a convolution.
 * Source: Ioffe and Szegedy 2015, algorithm 2.
 */
final class FoldBatchNorm implements Rule {
    @Override
    public String name() {
        return "fold-batch-norm";
    }

    @Override
    public Optional<Patch> match(Graph g, Node n, PassContext context) {
        if (!(n.op() instanceof BatchNorm bn)
                || bn.training()
                || !Patterns.isFloat32(n.output(0))
                || n.outputs().stream().skip(1).anyMatch(v -> !v.isAbsent())) {
            return Optional.empty();
        }
        Value x = n.input(0);
        SymbolicShape shape = Patterns.shape(x);
        Tensor[] statistics = new Tensor[4];
        for (int i = 0; i < 4; i++) {
            statistics[i] = g.constant(n.input(i + 1)).orElse(null);
            if (statistics[i] == null || statistics[i].isPacked() || statistics[i].size() != statistics[0].size()) {
                return Optional.empty();
            }
        }
        long channels = statistics[0].size();
        // A symbol for the channels could be 1 and would then broadcast.
        if (!shape.isRanked() || shape.rank() < 2 || !shape.dim(1).equals(Dim.of(channels))) {
            return Optional.empty();
        }
        long[] dims = new long[shape.rank() - 1];
        Arrays.fill(dims, 1);
        dims[0] = channels;
        Tensor scale = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(dims));
        Tensor shift = Tensor.allocate(context.constants(), DataType.FLOAT32, Shape.of(dims));
        for (long c = 0; c < channels; c++) {
            double s = statistics[0].getDouble(c) / Math.sqrt(statistics[3].getDouble(c) + bn.epsilon());
            scale.setDouble(c, s);
            shift.setDouble(c, statistics[1].getDouble(c) - statistics[2].getDouble(c) * s);
        }
        Patch p = Patch.of(n);
        String name = n.output(0).name();
        Value product =
                p.node(name + "_scaled", x.type(), new Binary(BinaryFn.MUL), x, p.constant(name + "_scale", scale));
        return Optional.of(
                p.replace(n.output(0), new Binary(BinaryFn.ADD), product, p.constant(name + "_shift", shift)));
    }
}
