package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * p-norm under a sliding window:  y = (sum |x|^p)^(1/p).
 * Inputs   x [N, C, spatial...]: float.    Output y [N, C, out...].
 * Rules    the window fits the padded input; p is at least 1.
 * Source   ONNX LpPool-22.
 */
public record LpPool(Window window, long p) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("LpPool", n -> new LpPool(Window.read(n), norm(n))));

    static long norm(OnnxNode n) {
        // Version 1 has a real p.
        long p = n.raw("p").orElse(2L) instanceof Float f ? (long) (float) f : n.integer("p", 2);
        if (p < 1) {
            throw n.error("attribute 'p' is " + p + "; expected at least 1");
        }
        return p;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape y = in.shape(0).isRanked()
                ? SymbolicShape.of(window.poolDims(in, in.shape(0).dims()))
                : SymbolicShape.ofRank(window.kernel().size() + 2);
        return List.of(new TensorType(in.dtype(0), y));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Geometry g = MaxPool.geometry(in, window, x.shape());
        long[] input = Conv.spatial(x.shape());
        Tensor y = Limits.allocate(in, x.type(), MaxPool.outputDims(x.shape(), g));
        double[] v = x.toDoubleArray();
        int plane = (int) Shape.of(input).elements();
        int outPlane = (int) Shape.of(g.out()).elements();
        int planes = (int) x.shape().product(0, 2);
        g.forEachOutput(input, (o, taps, n, padded) -> {
            for (int c = 0; c < planes; c++) {
                double sum = 0;
                for (int t = 0; t < n; t++) {
                    sum += Math.pow(Math.abs(v[c * plane + taps[t]]), p);
                }
                y.setDouble((long) c * outPlane + o, Math.pow(sum, 1.0 / p));
            }
        });
        return List.of(y);
    }
}
