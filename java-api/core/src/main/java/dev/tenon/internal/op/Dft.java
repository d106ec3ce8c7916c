package dev.tenon.internal.op;

import dev.tenon.DataType;
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
import java.util.Arrays;
import java.util.List;

/**
 * Discrete Fourier transform along one axis.
 * Inputs   x [..., 1] real or [..., 2] complex, float; length: INT32 or INT64 scalar or absent; axis: INT64 scalar or absent
 *          (-2).
 * Output   [..., 2], or [..., 1] for the inverse of a one-sided spectrum; the axis has {@code length} elements, or length / 2 +
 *          1 if one-sided and forward.
 * Rules    the axis is not the last one; a one-sided forward transform takes real input, its inverse complex input.
 * Numerics the reference computes in double.
 * Source   ONNX DFT-20; before, the axis is an attribute.
 */
public record Dft(boolean inverse, boolean onesided) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("DFT", n -> {
        if (n.opset() < 20) {
            n.constantScalar(2, DataType.INT64, n.integer("axis", 1));
        }
        return new Dft(n.flag("inverse", false), n.flag("onesided", false));
    }));

    @Override
    public String name() {
        return "DFT";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        in.require(in.dtype(0).isFloat(), "x has element type " + in.dtype(0));
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 2, "x has rank " + x.rank() + "; expected at least 2");
        Dim last = Dim.of(inverse && onesided ? 1 : 2);
        if (in.has(2) && in.longs(2).isEmpty()) {
            return List.of(
                    new TensorType(in.dtype(0), SymbolicShape.ofRank(x.rank()).withDim(-1, last)));
        }
        int axis = in.axis(in.has(2) ? in.longs(2).orElseThrow()[0] : -2, x.rank());
        in.require(axis != x.rank() - 1, "the last axis holds real and imaginary parts");
        long n = in.has(1) ? in.longs(1).map(l -> l[0]).orElse(-1L) : x.size(axis);
        in.require(!in.has(1) || in.longs(1).isEmpty() || n >= 1, "the length is " + n);
        Dim size = Dim.unknown();
        if (n >= 0) {
            boolean own = !in.has(1);
            size = Dim.of(onesided ? inverse ? own ? Math.max(0, 2 * (n - 1)) : n : n / 2 + 1 : n);
        } else if (!onesided && !in.has(1)) {
            size = x.dim(axis);
        }
        return List.of(new TensorType(in.dtype(0), x.withDim(axis, size).withDim(-1, last)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        in.require(rank >= 2, "x has rank " + rank + "; expected at least 2");
        int axis = in.axis(in.has(2) ? in.tensor(2).getLong(0) : -2, rank);
        int parts = (int) x.shape().dim(-1);
        in.require(axis != rank - 1 && (parts == 1 || parts == 2), "x of shape " + x.shape() + " is no signal");
        in.require(!onesided || inverse == (parts == 2), "a one-sided transform goes from real to complex and back");
        int have = (int) x.shape().dim(axis);
        long wanted = in.has(1) ? in.tensor(1).getLong(0) : onesided && inverse ? 2L * (have - 1) : have;
        in.require(wanted >= (have == 0 ? 0 : 1) && wanted <= 1 << 28, "the length is " + wanted);
        int n = (int) wanted;
        int outParts = inverse && onesided ? 1 : 2;
        int count = onesided && !inverse ? n / 2 + 1 : n;
        long[] dims = x.shape().dims();
        dims[axis] = count;
        dims[rank - 1] = outParts;
        Tensor y = Limits.allocate(in, x.type(), dims);
        double[] v = x.toDoubleArray();
        int outer = (int) x.shape().product(0, axis);
        int inner = (int) x.shape().product(axis + 1, rank - 1);
        double[] re = new double[n];
        double[] im = new double[n];
        for (int o = 0; o < outer; o++) {
            for (int i = 0; i < inner; i++) {
                Evaluation.checkCancelled();
                Arrays.fill(re, 0);
                Arrays.fill(im, 0);
                for (int k = 0; k < Math.min(n, have); k++) {
                    int at = ((o * have + k) * inner + i) * parts;
                    re[k] = v[at];
                    im[k] = parts == 2 ? v[at + 1] : 0;
                }
                if (onesided && inverse) {
                    mirror(re, im);
                }
                Fourier.transform(re, im, inverse);
                for (int k = 0; k < count; k++) {
                    long at = (((long) o * count + k) * inner + i) * outParts;
                    y.setDouble(at, re[k]);
                    if (outParts == 2) {
                        y.setDouble(at + 1, im[k]);
                    }
                }
            }
        }
        return List.of(y);
    }

    /** The other half of the spectrum of a real signal. */
    private static void mirror(double[] re, double[] im) {
        for (int k = re.length / 2 + 1; k < re.length; k++) {
            re[k] = re[re.length - k];
            im[k] = -im[re.length - k];
        }
    }
}
