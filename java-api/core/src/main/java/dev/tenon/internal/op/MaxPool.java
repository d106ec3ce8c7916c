package dev.tenon.internal.op;

import dev.tenon.DataType;
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
 * Maximum under a sliding window.
 * Inputs   x [N, C, spatial...]: a float or 8-bit integer type.
 * Output   y [N, C, out...]; optionally INT64 of the same shape: where in x the maximum is, as a flat index (if {@code
 *          columnMajor}, spatial axes count with the first varying fastest).
 * Rules    the window fits the padded input. Padding never wins; the first of equal elements does.
 * Source   ONNX MaxPool-22.
 */
public record MaxPool(Window window, boolean columnMajor) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("MaxPool", n -> new MaxPool(Window.read(n), n.flag("storage_order", false))));

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape y = in.shape(0).isRanked()
                ? SymbolicShape.of(window.poolDims(in, in.shape(0).dims()))
                : SymbolicShape.ofRank(window.kernel().size() + 2);
        return List.of(new TensorType(in.dtype(0), y), new TensorType(DataType.INT64, y));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Geometry g = geometry(in, window, x.shape());
        long[] input = Conv.spatial(x.shape());
        long[] dims = outputDims(x.shape(), g);
        Tensor y = Limits.allocate(in, x.type(), dims);
        Tensor indices = Limits.allocate(in, DataType.INT64, dims);
        double[] v = x.toDoubleArray();
        int plane = (int) Shape.of(input).elements();
        int outPlane = (int) Shape.of(g.out()).elements();
        int planes = (int) x.shape().product(0, 2);
        g.forEachOutput(input, (o, taps, n, padded) -> {
            for (int p = 0; p < planes; p++) {
                int base = p * plane;
                int best = -1;
                double most = Double.NEGATIVE_INFINITY;
                for (int t = 0; t < n; t++) {
                    double e = v[base + taps[t]];
                    if (best < 0 || e > most || Double.isNaN(e) && !Double.isNaN(most)) {
                        most = e;
                        best = taps[t];
                    }
                }
                long at = (long) p * outPlane + o;
                y.setDouble(at, most);
                indices.setLong(at, best < 0 ? -1 : base + (columnMajor ? columnMajor(best, input) : best));
            }
        });
        return List.of(y, indices);
    }

    private static long columnMajor(long flat, long[] dims) {
        long out = 0;
        long rest = flat;
        for (int a = dims.length - 1; a >= 0; a--) {
            long step = 1;
            for (int b = 0; b < a; b++) {
                step *= dims[b];
            }
            out += rest % dims[a] * step;
            rest /= dims[a];
        }
        return out;
    }

    /** Resolves a pool's window. */
    static Geometry geometry(Evaluation in, Window window, Shape x) {
        in.require(x.rank() >= 3 && window.kernel().size() == x.rank() - 2, "kernel_shape does not fit shape " + x);
        return window.at(Conv.spatial(x), window.kernelSizes());
    }

    static long[] outputDims(Shape x, Geometry g) {
        long[] dims = x.dims();
        System.arraycopy(g.out(), 0, dims, 2, g.rank());
        return dims;
    }
}
