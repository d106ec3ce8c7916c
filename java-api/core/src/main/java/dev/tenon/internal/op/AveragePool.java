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
 * Mean under a sliding window.
 * Inputs   x [N, C, spatial...]: float.    Output y [N, C, out...].
 * Rules    the window fits the padded input. Padding counts (as zeros) only if {@code includePad}.
 * Source   ONNX AveragePool-22.
 */
public record AveragePool(Window window, boolean includePad) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("AveragePool", n -> new AveragePool(Window.read(n), n.flag("count_include_pad", false))));

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
            double count = includePad ? padded : n;
            for (int p = 0; p < planes; p++) {
                double sum = 0;
                for (int t = 0; t < n; t++) {
                    sum += v[p * plane + taps[t]];
                }
                y.setDouble((long) p * outPlane + o, count == 0 ? 0 : sum / count);
            }
        });
        return List.of(y);
    }
}
