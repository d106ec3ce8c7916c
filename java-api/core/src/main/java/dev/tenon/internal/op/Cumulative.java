package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Running sums or products along an axis:  y[i] = x[0] fn ... fn x[i].
 * Inputs   x: numeric; axis: INT32 or INT64, one number.    Output y: the type and shape of x.
 * Rules    axis in [-rank, rank).  With {@code exclusive} element i itself is left out; {@code reverse} runs from the end.
 * Numerics the reference accumulates in double (integers in long).
 * Source   ONNX CumSum-14, CumProd-26.
 */
public record Cumulative(boolean product, boolean exclusive, boolean reverse) implements Op {
    static final List<OpSpec> SPECS = List.of(spec("CumSum", false), spec("CumProd", true));

    private static OpSpec spec(String name, boolean product) {
        return OpSpec.onnx(name, n -> new Cumulative(product, n.flag("exclusive", false), n.flag("reverse", false)));
    }

    @Override
    public String name() {
        return product ? "CumProd" : "CumSum";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() || in.dtype(0).isInteger(), "not defined for element type " + in.dtype(0));
        in.requireType(1, DataType.INT64, DataType.INT32);
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(in.tensor(1).size() == 1, "the axis must be one number");
        int at = in.axis(in.tensor(1).getLong(0), x.shape().rank());
        Tensor rows = Rows.last(in, x, at);
        Tensor y = in.allocate(x.type(), rows.shape());
        int n = Limits.arrayLength(in, x.shape().dim(at));
        for (long from = 0; from < x.size(); from += n) {
            if (x.type().isInteger()) {
                long[] row = new long[n];
                Blocks.load(rows, from, row, 0, n);
                long sum = product ? 1 : 0;
                for (int k = 0; k < n; k++) {
                    int i = reverse ? n - 1 - k : k;
                    long next = product ? sum * row[i] : sum + row[i];
                    row[i] = exclusive ? sum : next;
                    sum = next;
                }
                Blocks.store(y, from, row, 0, n);
            } else {
                double[] row = new double[n];
                Blocks.load(rows, from, row, 0, n);
                double sum = product ? 1 : 0;
                for (int k = 0; k < n; k++) {
                    int i = reverse ? n - 1 - k : k;
                    double next = product ? sum * row[i] : sum + row[i];
                    row[i] = exclusive ? sum : next;
                    sum = next;
                }
                Blocks.store(y, from, row, 0, n);
            }
        }
        return List.of(Rows.back(in, y, at));
    }
}
