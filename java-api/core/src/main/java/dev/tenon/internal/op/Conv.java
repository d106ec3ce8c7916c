package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
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
 * Convolution:  y[n, m, o] = b[m] + sum over c, k of x[n, g C/G + c, o s - p + k d] w[m, c, k], g the group of m.
 * Inputs   x [N, C, spatial...]; w [M, C/G, kernel...]; b [M] or absent; floats of one type.
 * Output   y [N, M, spatial...].
 * Rules    x and w have one rank, at least 3; G divides C and M; the kernel fits the padded input.
 * Numerics the reference accumulates in double.
 * Source   ONNX Conv-22.
 */
public record Conv(Window window, long group) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Conv", n -> new Conv(Window.read(n), group(n))));

    static long group(OnnxNode n) {
        long group = n.integer("group", 1);
        if (group < 1) {
            throw n.error("attribute 'group' is " + group + "; expected at least 1");
        }
        return group;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "a convolution takes floats, not " + in.dtype(0));
        in.require(in.dtype(0) == in.dtype(1), "x and w have different element types");
        in.require(
                !in.has(2) || in.dtype(2) == in.dtype(0),
                "the bias has element type " + (in.has(2) ? in.dtype(2) : ""));
        return List.of(new TensorType(in.dtype(0), shape(in, in.shape(0), in.shape(1), in.has(2) ? 2 : -1)));
    }

    /** The output's shape; also for the integer convolutions. @param bias the bias' input index or -1 */
    SymbolicShape shape(Inference in, SymbolicShape x, SymbolicShape w, int bias) {
        if (!x.isRanked() && !w.isRanked()) {
            return SymbolicShape.UNRANKED;
        }
        int rank = x.isRanked() ? x.rank() : w.rank();
        in.require(rank >= 3, "x has rank " + rank + "; expected batch, channels and at least one spatial axis");
        SymbolicShape xs = x.isRanked() ? x : SymbolicShape.ofRank(rank);
        SymbolicShape ws = w.isRanked() ? w : SymbolicShape.ofRank(rank);
        in.require(ws.rank() == rank, "x has rank " + rank + " but w has rank " + ws.rank());
        if (xs.size(1) >= 0 && ws.size(1) >= 0) {
            in.require(
                    ws.size(1) <= Long.MAX_VALUE / group && ws.size(1) * group == xs.size(1),
                    "x has " + xs.size(1) + " channels but w takes " + ws.size(1) + " in each of " + group + " groups");
        }
        in.require(
                ws.size(0) < 0 || ws.size(0) % group == 0, group + " groups do not divide " + ws.size(0) + " filters");
        in.require(
                xs.size(1) < 0 || xs.size(1) % group == 0, group + " groups do not divide " + xs.size(1) + " channels");
        if (bias >= 0 && in.shape(bias).isRanked()) {
            SymbolicShape b = in.shape(bias);
            in.require(
                    b.rank() == 1 && (b.size(0) < 0 || ws.size(0) < 0 || b.size(0) == ws.size(0)),
                    "the bias has shape " + b + "; expected [" + ws.dim(0) + "]");
        }
        List<Dim> out = new ArrayList<>(List.of(xs.dim(0), ws.dim(0)));
        Window.guard(in, () -> {
            window.checkRank(rank - 2);
            for (int i = 0; i < rank - 2; i++) {
                Dim k = kernelDim(in, ws, i);
                out.add(window.outputDim(xs.dim(i + 2), k, i));
            }
        });
        return SymbolicShape.of(out);
    }

    private Dim kernelDim(Inference in, SymbolicShape w, int axis) {
        Dim k = w.dim(axis + 2);
        if (window.kernel().isEmpty()) {
            return k;
        }
        long declared = window.kernel().get(axis);
        in.require(!k.isKnown() || k.is(declared), "kernel_shape is " + window.kernel() + " but w has shape " + w);
        return Dim.of(declared);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor w = in.tensor(1);
        Geometry g = geometry(in, x.shape(), w.shape());
        Tensor y = Limits.allocate(in, x.type(), outputDims(x.shape(), w.shape(), g));
        double[] bias = in.has(2) ? in.tensor(2).toDoubleArray() : null;
        double[] sums = sums(x.toDoubleArray(), x.shape(), w.toDoubleArray(), w.shape(), g);
        if (bias != null) {
            in.require(bias.length == w.shape().dim(0), "the bias has " + bias.length + " elements");
            int plane = (int) Shape.of(g.out()).elements();
            for (int i = 0; i < sums.length; i++) {
                sums[i] += bias[i / plane % bias.length];
            }
        }
        y.copyFrom(sums);
        return List.of(y);
    }

    /** Checks shapes and resolves the window. */
    Geometry geometry(Evaluation in, Shape x, Shape w) {
        in.require(
                x.rank() >= 3
                        && w.rank() == x.rank()
                        && x.dim(1) % group == 0
                        && w.dim(0) % group == 0
                        && x.dim(1) / group == w.dim(1),
                "x of shape " + x + ", w of shape " + w + " and " + group + " groups do not fit");
        return window.at(spatial(x), spatial(w));
    }

    static long[] spatial(Shape s) {
        return Arrays.copyOfRange(s.dims(), 2, s.rank());
    }

    static long[] outputDims(Shape x, Shape w, Geometry g) {
        long[] dims = new long[x.rank()];
        dims[0] = x.dim(0);
        dims[1] = w.dim(0);
        System.arraycopy(g.out(), 0, dims, 2, g.rank());
        return dims;
    }

    /** The convolution without bias, exact for integers of up to 16 bits. */
    double[] sums(double[] x, Shape xs, double[] w, Shape ws, Geometry g) {
        long[] input = spatial(xs);
        long[] kernel = spatial(ws);
        int inPlane = (int) Shape.of(input).elements();
        int outPlane = Math.toIntExact(Shape.of(g.out()).elements());
        int taps = (int) Shape.of(kernel).elements();
        int filters = (int) ws.dim(0);
        int channels = (int) ws.dim(1);
        double[] y = new double[Math.toIntExact(Shape.of(outputDims(xs, ws, g)).elements())];
        for (int n = 0; n < xs.dim(0); n++) {
            for (int m = 0; m < filters; m++) {
                Evaluation.checkCancelled();
                int yAt = (n * filters + m) * outPlane;
                int firstChannel = (int) (m / (filters / group) * channels);
                for (int c = 0; c < channels; c++) {
                    int xAt = (int) ((n * xs.dim(1) + firstChannel + c) * inPlane);
                    long[] index = new long[kernel.length];
                    for (int k = 0; k < taps; k++) {
                        double f = w[(m * channels + c) * taps + k];
                        g.forEachRow(input, index, (from, step, to, count) -> {
                            for (int i = 0; i < count; i++) {
                                y[yAt + to + i] += f * x[xAt + from + i * step];
                            }
                        });
                        Geometry.advance(index, kernel);
                    }
                }
            }
        }
        return y;
    }
}
