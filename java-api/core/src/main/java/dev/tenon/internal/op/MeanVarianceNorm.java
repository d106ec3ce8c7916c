package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Makes the mean 0 and the variance 1 over axes:  y = (x - mean) / (sqrt(mean(x^2) - mean^2) + 1e-9).
 * Inputs   x: floats.    Output y: the type and shape of x.    Rules axes are in [-rank, rank), each once.
 * Numerics the reference computes in double.
 * Source   ONNX MeanVarianceNormalization-13; axes are 0, 2, 3 by default.
 */
public record MeanVarianceNorm(List<Long> axes) implements Op {
    private static final double EPSILON = 1e-9;

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "MeanVarianceNormalization",
            n -> new MeanVarianceNorm(n.has("axes") ? n.integers("axes") : List.of(0L, 2L, 3L))));

    public MeanVarianceNorm {
        axes = List.copyOf(axes);
    }

    @Override
    public String name() {
        return "MeanVarianceNormalization";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    private long[] named() {
        return axes.stream().mapToLong(Long::longValue).toArray();
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        if (in.shape(0).isRanked()) {
            Axes.normalize(in, named(), in.shape(0).rank());
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        boolean[] chosen = new boolean[rank];
        for (int a : Axes.normalize(in, named(), rank)) {
            chosen[a] = true;
        }
        Tensor rows = Rows.last(in, x, chosen);
        Tensor y = in.allocate(x.type(), rows.shape());
        double[] row = new double[Limits.arrayLength(in, Rows.length(x.shape(), chosen))];
        for (long from = 0; from < x.size(); from += row.length) {
            Blocks.load(rows, from, row, 0, row.length);
            double mean = ReduceFn.MEAN.ofDoubles(row, 0, row.length);
            double squares = 0;
            for (double v : row) {
                squares += (v - mean) * (v - mean);
            }
            double deviation = Math.sqrt(squares / row.length) + EPSILON;
            for (int i = 0; i < row.length; i++) {
                row[i] = (row[i] - mean) / deviation;
            }
            Blocks.store(y, from, row, 0, row.length);
        }
        return List.of(Rows.restore(in, y, chosen));
    }
}
