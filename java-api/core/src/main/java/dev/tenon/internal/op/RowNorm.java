package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.SymbolicShape;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Normalisation of rows (all axes from one on) with scale and bias that broadcast to the whole tensor. */
final class RowNorm {
    private final Evaluation in;
    private final int n;
    private final long rows;
    private final float epsilon;
    private final boolean centered;
    private final Tensor mean;
    private final Tensor inverse;

    RowNorm(Evaluation in, Tensor x, int axis, float epsilon, boolean centered) {
        this.in = in;
        this.n = Limits.arrayLength(in, x.shape().product(axis, x.shape().rank()));
        this.rows = x.shape().product(0, axis);
        this.epsilon = epsilon;
        this.centered = centered;
        long[] dims = x.shape().dims();
        Arrays.fill(dims, axis, dims.length, 1);
        this.mean = in.allocate(DataType.FLOAT32, dims);
        this.inverse = in.allocate(DataType.FLOAT32, dims);
    }

    /** @throws dev.tenon.ShapeException unless x has floats, and inputs {@code from} to {@code to} its type and fit it */
    static void check(Inference in, SymbolicShape x, int from, int to) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        for (int i = from; i <= to; i++) {
            if (in.has(i)) {
                SymbolicShape out = SymbolicShape.broadcast(x, in.shape(i));
                in.require(
                        !x.isRanked() || !out.isRanked() || out.rank() == x.rank(),
                        "input " + i + " of shape " + in.shape(i) + " does not broadcast to " + x);
                in.require(
                        !x.isConcrete() || !out.isConcrete() || out.equals(x),
                        "input " + i + " of shape " + in.shape(i) + " does not broadcast to " + x);
            }
        }
    }

    Tensor apply(Tensor x, Tensor scale, @Nullable Tensor bias) {
        Tensor y = in.allocate(x.type(), x.shape());
        in.require(Broadcast.shape(x.shape(), scale.shape()).equals(x.shape()), "scale does not broadcast to x");
        in.require(
                bias == null || Broadcast.shape(x.shape(), bias.shape()).equals(x.shape()),
                "bias does not broadcast to x");
        Operand scales = new Operand(scale, x.shape());
        Operand biases = bias == null ? null : new Operand(bias, x.shape());
        double[] row = new double[n];
        double[] s = new double[n];
        double[] b = new double[n];
        for (long r = 0; n > 0 && r < rows; r++) {
            Blocks.load(x, r * n, row, 0, n);
            scales.load(r * n, n, s);
            if (biases != null) {
                biases.load(r * n, n, b);
            }
            double m = centered ? ReduceFn.MEAN.ofDoubles(row, 0, n) : 0;
            double squares = 0;
            for (double v : row) {
                squares += (v - m) * (v - m);
            }
            double inv = 1 / Math.sqrt(squares / n + epsilon);
            for (int i = 0; i < n; i++) {
                row[i] = (row[i] - m) * inv * s[i] + b[i];
            }
            Blocks.store(y, r * n, row, 0, n);
            mean.setDouble(r, m);
            inverse.setDouble(r, inv);
        }
        return y;
    }

    Tensor mean() {
        return mean;
    }

    Tensor inverse() {
        return inverse;
    }
}
