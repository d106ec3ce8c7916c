package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
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
 * Transposed convolution:  y[n, m, i s - p + k d] = b[m] + sum over c, i, k that meet there of x[n, c, i] w[c, m, k].
 * Inputs   x [N, C, spatial...]; w [C, M/G, kernel...]; b [M] or absent; floats of one type.
 * Output   y [N, M, spatial...]; sizes are (in - 1) s + span + outputPadding - pads, or {@code outputShape} if given.
 * Rules    x and w have one rank, at least 3; G divides C; output sizes are positive.
 * Source   ONNX ConvTranspose-22.
 */
public record ConvTranspose(Window window, long group, List<Long> outputPadding, List<Long> outputShape) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "ConvTranspose",
            n -> new ConvTranspose(
                    Window.read(n), Conv.group(n), sizes(n, "output_padding"), sizes(n, "output_shape"))));

    private static List<Long> sizes(OnnxNode n, String name) {
        List<Long> v = n.integers(name);
        if (v.stream().anyMatch(x -> x < 0 || x > Integer.MAX_VALUE)) {
            throw n.error("attribute '" + name + "' is " + v + "; expected sizes");
        }
        return v;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() && in.dtype(0) == in.dtype(1), "x and w must be floats of one type");
        SymbolicShape x = in.shape(0);
        SymbolicShape w = in.shape(1);
        if (!x.isRanked() || !w.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 3 && w.rank() == x.rank(), "x of shape " + x + " and w of shape " + w + " do not fit");
        in.require(
                x.size(1) < 0 || w.size(0) < 0 || x.size(1) == w.size(0),
                "x has " + x.size(1) + " channels but w takes " + w.size(0));
        in.require(w.size(0) < 0 || w.size(0) % group == 0, group + " groups do not divide " + w.size(0) + " channels");
        List<Dim> out = new ArrayList<>(List.of(
                x.dim(0),
                w.size(1) >= 0 ? Dim.of(Math.multiplyExact(w.size(1), group)) : group == 1 ? w.dim(1) : Dim.unknown()));
        Window.guard(in, () -> {
            int spatial = x.rank() - 2;
            checkRank(spatial);
            for (int i = 0; i < spatial; i++) {
                Dim k = window.kernel().isEmpty()
                        ? w.dim(i + 2)
                        : Dim.of(window.kernel().get(i));
                in.require(
                        !w.dim(i + 2).isKnown() || w.dim(i + 2).equals(k),
                        "kernel_shape is " + window.kernel() + " but w has shape " + w);
                if (!outputShape.isEmpty()) {
                    out.add(Dim.of(outputShape.get(outputShape.size() - spatial + i)));
                } else if (x.size(i + 2) >= 0 && k.isKnown()) {
                    out.add(Dim.of(axis(x.size(i + 2), k.sizeOrMinusOne(), i, spatial)[2]));
                } else {
                    out.add(Dim.unknown());
                }
            }
        });
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    private void checkRank(int spatial) {
        window.checkRank(spatial);
        if (!outputPadding.isEmpty() && outputPadding.size() != spatial) {
            throw new ShapeException("output_padding is " + outputPadding + "; expected " + spatial + " values");
        }
        if (!outputShape.isEmpty() && outputShape.size() != spatial && outputShape.size() != spatial + 2) {
            throw new ShapeException("output_shape is " + outputShape + "; expected " + spatial + " values");
        }
    }

    /** Padding at the begin and end, and the output's size, along one spatial axis. */
    private long[] axis(long input, long kernel, int i, int spatial) {
        long span = (kernel - 1) * window.dilation(i) + 1;
        long extra = outputPadding.isEmpty() ? 0 : outputPadding.get(i);
        long full;
        try {
            full = Math.addExact(Math.multiplyExact(input - 1, window.stride(i)), Math.addExact(span, extra));
        } catch (ArithmeticException e) {
            throw new ShapeException("the output size on spatial axis " + i + " overflows");
        }
        long size;
        boolean fixed = !outputShape.isEmpty();
        boolean same = window.autoPad() == Window.AutoPad.SAME_UPPER || window.autoPad() == Window.AutoPad.SAME_LOWER;
        if (!fixed && !same) {
            size = full - window.padBegin(i) - window.padEnd(i);
            if (size < 1) {
                throw new ShapeException("the output size on spatial axis " + i + " would be " + size);
            }
            return new long[] {window.padBegin(i), window.padEnd(i), size};
        }
        size = fixed ? outputShape.get(outputShape.size() - spatial + i) : Math.multiplyExact(input, window.stride(i));
        long total = Math.max(0, full - size);
        long begin = window.autoPad() == Window.AutoPad.SAME_UPPER ? total / 2 : total - total / 2;
        return new long[] {begin, total - begin, size};
    }

    /** The geometry of the convolution whose gradient this is: its input is our output. */
    public Geometry geometry(long[] input, long[] kernel) {
        int rank = input.length;
        checkRank(rank);
        long[][] g = new long[5][rank];
        for (int i = 0; i < rank; i++) {
            long[] a = axis(input[i], kernel[i], i, rank);
            g[0][i] = window.stride(i);
            g[1][i] = a[0];
            g[2][i] = a[1];
            g[3][i] = window.dilation(i);
            g[4][i] = a[2];
        }
        return new Geometry(kernel.clone(), g[0], g[1], g[2], g[3], g[4]);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor w = in.tensor(1);
        Shape xs = x.shape();
        Shape ws = w.shape();
        in.require(
                xs.rank() >= 3 && ws.rank() == xs.rank() && xs.dim(1) == ws.dim(0) && ws.dim(0) % group == 0,
                "x of shape " + xs + ", w of shape " + ws + " and " + group + " groups do not fit");
        long[] input = Conv.spatial(xs);
        long[] kernel = Conv.spatial(ws);
        Geometry g = geometry(input, kernel);
        long[] dims = xs.dims();
        dims[1] = Math.multiplyExact(ws.dim(1), group);
        System.arraycopy(g.out(), 0, dims, 2, g.rank());
        Tensor y = Limits.allocate(in, x.type(), dims);
        double[] sums = new double[Math.toIntExact(y.size())];
        int outPlane = Math.toIntExact(Shape.of(g.out()).elements());
        if (in.has(2)) {
            double[] b = in.tensor(2).toDoubleArray();
            in.require(b.length == dims[1], "the bias has " + b.length + " elements; expected " + dims[1]);
            for (int i = 0; i < sums.length / Math.max(1, outPlane); i++) {
                Arrays.fill(sums, i * outPlane, (i + 1) * outPlane, b[i % b.length]);
            }
        }
        scatter(x.toDoubleArray(), xs, w.toDoubleArray(), ws, g, sums);
        y.copyFrom(sums);
        return List.of(y);
    }

    private void scatter(double[] x, Shape xs, double[] w, Shape ws, Geometry g, double[] y) {
        long[] kernel = g.kernel();
        int inPlane = (int) xs.product(2, xs.rank());
        int outPlane = (int) Shape.of(g.out()).elements();
        int taps = (int) Shape.of(kernel).elements();
        int filters = (int) ws.dim(1);
        int channels = (int) xs.dim(1);
        int perGroup = (int) (channels / group);
        // Input and output change places against a convolution, so the roles in the row walk do as well.
        Geometry mirrored =
                new Geometry(kernel, g.strides(), g.padBegin(), g.padEnd(), g.dilations(), Conv.spatial(xs));
        for (int n = 0; n < xs.dim(0); n++) {
            for (int c = 0; c < channels; c++) {
                Evaluation.checkCancelled();
                int xAt = (n * channels + c) * inPlane;
                for (int m = 0; m < filters; m++) {
                    int yAt = (int) ((n * filters * group + c / perGroup * (long) filters + m) * outPlane);
                    long[] index = new long[kernel.length];
                    for (int k = 0; k < taps; k++) {
                        double f = w[(c * filters + m) * taps + k];
                        mirrored.forEachRow(g.out(), index, (at, step, from, count) -> {
                            for (int i = 0; i < count; i++) {
                                y[yAt + at + i * step] += f * x[xAt + from + i];
                            }
                        });
                        Geometry.advance(index, kernel);
                    }
                }
            }
        }
    }
}
