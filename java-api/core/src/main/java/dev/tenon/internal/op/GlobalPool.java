package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One number a channel from all its spatial elements: the mean, the maximum, or the p-norm.
 * Inputs   x [N, C, spatial...]: float.    Output y [N, C, 1...].
 * Rules    rank(x) is at least 2.
 * Source   ONNX GlobalAveragePool-22, GlobalMaxPool-22, GlobalLpPool-22.
 */
public record GlobalPool(Kind kind, long p) implements Op {
    /** How a channel's elements become one. */
    public enum Kind {
        AVERAGE("GlobalAveragePool"),
        MAX("GlobalMaxPool"),
        LP("GlobalLpPool");

        final String onnxName;

        Kind(String onnxName) {
            this.onnxName = onnxName;
        }
    }

    static final List<OpSpec> SPECS = Arrays.stream(Kind.values())
            .map(k -> OpSpec.onnx(k.onnxName, n -> new GlobalPool(k, k == Kind.LP ? LpPool.norm(n) : 0)))
            .toList();

    @Override
    public String name() {
        return kind.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 2, "x has rank " + x.rank() + "; expected batch and channels");
        List<Dim> out = new ArrayList<>(x.dims().subList(0, 2));
        for (int i = 2; i < x.rank(); i++) {
            in.require(!x.dim(i).is(0), "a global pool needs elements, but x has shape " + x);
            out.add(Dim.of(1));
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() >= 2, "x has rank " + x.shape().rank() + "; expected batch and channels");
        long[] dims = x.shape().dims();
        Arrays.fill(dims, 2, dims.length, 1);
        Tensor y = Limits.allocate(in, x.type(), dims);
        double[] v = x.toDoubleArray();
        int plane = (int) x.shape().product(2, dims.length);
        for (int c = 0; c < y.size(); c++) {
            double r = kind == Kind.MAX ? Double.NEGATIVE_INFINITY : 0;
            for (int i = c * plane; i < (c + 1) * plane; i++) {
                r = switch (kind) {
                    case AVERAGE -> r + v[i];
                    case MAX -> Math.max(r, v[i]);
                    case LP -> r + Math.pow(Math.abs(v[i]), p);
                };
            }
            y.setDouble(c, kind == Kind.AVERAGE ? r / plane : kind == Kind.LP ? Math.pow(r, 1.0 / p) : r);
        }
        return List.of(y);
    }
}
