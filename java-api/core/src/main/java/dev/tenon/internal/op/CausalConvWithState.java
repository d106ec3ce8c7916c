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
import java.util.List;

/**
 * Causal convolution of each channel on its own:  y[n, c, t] = b[c] + sum over k of z[n, c, t + k] w[c, 0, k], where z is the
 * past state followed by x.
 * Inputs   x [N, C, L]; w [C, 1, K]; b [C] or absent; past state [N, C, K-1] or absent (zeros); floats of one type.
 * Outputs  y [N, C, L], through x sigmoid(x) if {@code silu}; the last K-1 elements of z.
 * Source   ONNX CausalConvWithState-27.
 */
public record CausalConvWithState(boolean silu) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "CausalConvWithState",
            n -> new CausalConvWithState(
                    switch (n.text("activation", "none")) {
                        case "none" -> false;
                        case "silu", "swish" -> true;
                        default -> throw n.error("activation '" + n.text("activation", "") + "' is not known");
                    })));

    @Override
    public OpTrait trait() {
        return OpTrait.CONTRACTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat() && in.dtype(0) == in.dtype(1), "x and w must be floats of one type");
        SymbolicShape x = in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(3);
        SymbolicShape w = in.shape(1).isRanked() ? in.shape(1) : SymbolicShape.ofRank(3);
        in.require(x.rank() == 3 && w.rank() == 3, "x and w must have rank 3");
        in.require(
                (x.size(1) < 0 || w.size(0) < 0 || x.size(1) == w.size(0)) && (w.size(1) < 0 || w.size(1) == 1),
                "x of shape " + x + " and w of shape " + w + " do not fit");
        in.require(w.size(2) != 0, "the kernel is empty");
        Dim carry = w.size(2) > 0
                ? Dim.of(w.size(2) - 1)
                : in.has(3) && in.shape(3).isRanked() ? in.shape(3).dim(-1) : Dim.unknown();
        return List.of(
                new TensorType(in.dtype(0), x),
                new TensorType(in.dtype(0), SymbolicShape.of(x.dim(0), x.dim(1), carry)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape xs = x.shape();
        Shape ws = in.tensor(1).shape();
        in.require(
                xs.rank() == 3 && ws.rank() == 3 && ws.dim(0) == xs.dim(1) && ws.dim(1) == 1 && ws.dim(2) >= 1,
                "x of shape " + xs + " and w of shape " + ws + " do not fit");
        int channels = (int) xs.dim(1);
        int length = (int) xs.dim(2);
        int k = (int) ws.dim(2);
        double[] v = x.toDoubleArray();
        double[] w = in.tensor(1).toDoubleArray();
        double[] b = in.has(2) ? in.tensor(2).toDoubleArray() : new double[channels];
        Shape carry = Shape.of(xs.dim(0), channels, k - 1);
        in.require(b.length == channels, "the bias has " + b.length + " elements; expected " + channels);
        in.require(!in.has(3) || in.tensor(3).shape().equals(carry), "the past state must have shape " + carry);
        double[] past = in.has(3) ? in.tensor(3).toDoubleArray() : new double[(int) carry.elements()];
        Tensor y = Limits.allocate(in, x.type(), xs);
        Tensor present = Limits.allocate(in, x.type(), carry);
        double[] z = new double[k - 1 + length];
        for (int row = 0; row < xs.dim(0) * channels; row++) {
            System.arraycopy(past, row * (k - 1), z, 0, k - 1);
            System.arraycopy(v, row * length, z, k - 1, length);
            int c = row % channels;
            for (int t = 0; t < length; t++) {
                double sum = b[c];
                for (int i = 0; i < k; i++) {
                    sum += z[t + i] * w[c * k + i];
                }
                y.setDouble((long) row * length + t, silu ? sum / (1 + Math.exp(-sum)) : sum);
            }
            for (int i = 0; i < k - 1; i++) {
                present.setDouble((long) row * (k - 1) + i, z[length + i]);
            }
        }
        return List.of(y, present);
    }
}
