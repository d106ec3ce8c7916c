package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Local response normalisation across channels:  y[n, c] = x[n, c] / (bias + alpha / size * sum_k x[n, k]^2)^beta, k over
 * the size channels around c: floor((size - 1) / 2) before to ceil((size - 1) / 2) after.
 * Inputs   x: floats [N, C, ...].    Output y: the type and shape of x.
 * Rules    rank >= 2; size >= 1.
 * Numerics the reference computes in double.
 * Source   Krizhevsky, Sutskever, Hinton 2012 (ImageNet classification), section 3.3; ONNX LRN-13.
 */
public record Lrn(long size, float alpha, float beta, float bias) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("LRN", n -> {
        long size = n.requireInteger("size");
        if (size < 1) {
            throw n.error("attribute 'size' is " + size + "; expected at least 1");
        }
        return new Lrn(size, n.real("alpha", 1e-4f), n.real("beta", 0.75f), n.real("bias", 1));
    }));

    @Override
    public String name() {
        return "LRN";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() >= 2, "the rank must be at least 2");
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        in.require(s.rank() >= 2, "the rank must be at least 2");
        Tensor rows = Rows.last(in, x, 1);
        Tensor y = in.allocate(x.type(), rows.shape());
        int channels = Limits.arrayLength(in, s.dim(1));
        long before = Math.min((size - 1) / 2, channels);
        long after = Math.min(size / 2, channels);
        double[] row = new double[channels];
        double[] out = new double[channels];
        for (long from = 0; from < x.size(); from += channels) {
            Blocks.load(rows, from, row, 0, channels);
            for (int c = 0; c < channels; c++) {
                double sum = 0;
                for (int k = (int) Math.max(0, c - before); k <= Math.min(channels - 1, c + after); k++) {
                    sum += row[k] * row[k];
                }
                out[c] = row[c] / Math.pow(bias + alpha / (double) size * sum, beta);
            }
            Blocks.store(y, from, out, 0, channels);
        }
        return List.of(Rows.back(in, y, 1));
    }
}
