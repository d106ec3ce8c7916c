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
 * Convolution of quantised tensors:  s = conv(x - zx, w - zw), exact.
 * ConvInteger gives s itself. QLinearConv gives saturate(round((s + b) sx sw / sy) + zy).
 * Inputs   ConvInteger: x, w, zx, zw (8-bit; zero points may be absent). QLinearConv: x, sx, zx, w, sw, zw, sy, zy, b (INT32 or
 *          absent). zw and sw may be vectors over the filters.
 * Output   y: INT32, or zy's type, shape as {@link Conv}.
 * Rules    those of Conv; scales and zero points are scalars or fit the filters.
 * Source   ONNX ConvInteger-10, QLinearConv-10.
 */
public record IntegerConv(Conv conv, boolean requantize) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("ConvInteger", n -> new IntegerConv(new Conv(Window.read(n), Conv.group(n)), false)),
            OpSpec.onnx("QLinearConv", n -> new IntegerConv(new Conv(Window.read(n), Conv.group(n)), true)));

    @Override
    public String name() {
        return requantize ? "QLinearConv" : "ConvInteger";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    private int weights() {
        return requantize ? 3 : 1;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.UINT8, DataType.INT8);
        in.requireType(weights(), DataType.UINT8, DataType.INT8);
        SymbolicShape y = conv.shape(in, in.shape(0), in.shape(weights()), requantize && in.has(8) ? 8 : -1);
        return List.of(new TensorType(requantize ? in.dtype(7) : DataType.INT32, y));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor w = in.tensor(weights());
        Geometry g = conv.geometry(in, x.shape(), w.shape());
        double[] zx = Quantized.values(in, 2);
        double[] zw = Quantized.values(in, requantize ? 5 : 3);
        int filters = (int) w.shape().dim(0);
        in.require(zx.length == 1, "the zero point of x must be one number");
        in.require(zw.length == 1 || zw.length == filters, "the zero point of w has " + zw.length + " elements");
        double[] xv = x.toDoubleArray();
        double[] wv = w.toDoubleArray();
        for (int i = 0; i < xv.length; i++) {
            xv[i] -= zx[0];
        }
        int perFilter = wv.length / Math.max(1, filters);
        for (int i = 0; i < wv.length; i++) {
            wv[i] -= zw[zw.length == 1 ? 0 : i / perFilter];
        }
        long[] dims = Conv.outputDims(x.shape(), w.shape(), g);
        Tensor y = Limits.allocate(in, requantize ? in.tensor(7).type() : DataType.INT32, dims);
        double[] sums = conv.sums(xv, x.shape(), wv, w.shape(), g);
        int plane = (int) Shape.of(g.out()).elements();
        if (!requantize) {
            for (int i = 0; i < sums.length; i++) {
                y.setLong(i, (long) sums[i]);
            }
            return List.of(y);
        }
        double[] sw = in.tensor(4).toDoubleArray();
        in.require(sw.length == 1 || sw.length == filters, "the scale of w has " + sw.length + " elements");
        double sx = in.tensor(1).getDouble(0);
        double sy = in.tensor(6).getDouble(0);
        double zy = in.tensor(7).getDouble(0);
        double[] b = in.has(8) ? in.tensor(8).toDoubleArray() : new double[filters];
        in.require(b.length == filters, "the bias has " + b.length + " elements; expected " + filters);
        for (int i = 0; i < sums.length; i++) {
            int m = i / plane % filters;
            double real = (sums[i] + b[m]) * sx * sw[sw.length == 1 ? 0 : m];
            Quantized.store(y, i, real / sy, zy);
        }
        return List.of(y);
    }
}
