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
 * Divides vectors along an axis by their L1 or L2 norm:  y = x / norm(x).
 * Inputs   x: floats.    Output y: the type and shape of x.
 * Rules    p is 1 or 2; axis in [-rank, rank).
 * Numerics a vector of norm 0 gives zeros.
 * Source   ONNX LpNormalization-22.
 */
public record LpNorm(long axis, long p) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("LpNormalization", n -> {
        long p = n.integer("p", 2);
        if (p != 1 && p != 2) {
            throw n.error("attribute 'p' is " + p + "; expected 1 or 2");
        }
        return new LpNorm(n.integer("axis", -1), p);
    }));

    @Override
    public String name() {
        return "LpNormalization";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        if (in.shape(0).isRanked()) {
            in.axis(axis, in.shape(0).rank());
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        Tensor rows = Rows.last(in, x, at);
        Tensor y = in.allocate(x.type(), rows.shape());
        double[] row = new double[Limits.arrayLength(in, x.shape().dim(at))];
        for (long from = 0; from < x.size(); from += row.length) {
            Blocks.load(rows, from, row, 0, row.length);
            double norm = (p == 1 ? ReduceFn.L1 : ReduceFn.L2).ofDoubles(row, 0, row.length);
            for (int i = 0; i < row.length; i++) {
                row[i] = norm == 0 ? 0 : row[i] / norm;
            }
            Blocks.store(y, from, row, 0, row.length);
        }
        return List.of(Rows.back(in, y, at));
    }
}
