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
 * The upper or lower triangle of matrices:  y[..., i, j] = x[..., i, j] where j - i >= k (upper) or <= k (lower), else 0.
 * Inputs   x: any type [..., N, M]; k (optional): INT64 scalar, 0 by default.    Output y: the type and shape of x.
 * Rules    rank(x) >= 2.
 * Source   ONNX Trilu-14.
 */
public record Trilu(boolean upper) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Trilu", n -> new Trilu(n.flag("upper", true))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() >= 2, "the rank must be at least 2");
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() >= 2, "the rank must be at least 2");
        in.require(!in.has(1) || in.tensor(1).size() == 1, "k must be one number");
        long m = x.shape().dim(-1);
        long n = x.shape().dim(-2);
        // Beyond the corners all diagonals are alike; clamping keeps the sums below from overflowing.
        long k = in.has(1) ? Math.clamp(in.tensor(1).getLong(0), -n - 1, m + 1) : 0;
        Tensor y = in.allocate(x.type(), x.shape());
        long rows = x.shape().product(0, x.shape().rank() - 1);
        for (long r = 0; r < rows; r++) {
            long diagonal = r % n + k;
            long from = upper ? Math.clamp(diagonal, 0, m) : 0;
            long to = upper ? m : Math.clamp(diagonal + 1, 0, m);
            Strided.copy(new long[] {to - from}, x, r * m + from, new long[] {1}, y, r * m + from, new long[] {1});
        }
        return List.of(y);
    }
}
