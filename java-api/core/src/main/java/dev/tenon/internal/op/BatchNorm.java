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
 * Batch normalisation of channels:  y = (x - mean[c]) / sqrt(variance[c] + epsilon) * scale[c] + bias[c].
 * Inputs   x: floats [N, C, ...]; scale, bias, mean, variance: floats [C].
 * Outputs  y: the type and shape of x.  In training mode mean and variance are those of the batch, and the running ones
 *          follow as outputs: momentum * old + (1 - momentum) * batch.
 * Rules    vectors have C elements (a vector x counts as one channel).
 * Numerics the reference computes in double; the variance is that of the population.
 * Source   Ioffe & Szegedy 2015 (Batch normalization), algorithms 1 and 2; ONNX BatchNormalization-15.
 */
public record BatchNorm(float epsilon, float momentum, boolean training) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("BatchNormalization", n -> {
        if (n.opset() < 9 && !n.flag("spatial", true)) {
            throw n.error("attribute 'spatial' is 0: statistics for each element are not supported; export with opset 9"
                    + " or later");
        }
        boolean training = n.opset() >= 14
                ? n.flag("training_mode", false)
                : n.opset() < 7 ? !n.flag("is_test", false) && n.outputCount() > 1 : n.outputCount() > 1;
        if (training && n.opset() < 14) {
            throw n.error("training mode is not supported before opset 14; export the model for inference");
        }
        return new BatchNorm(n.real("epsilon", 1e-5f), n.real("momentum", 0.9f), training);
    }));

    @Override
    public String name() {
        return "BatchNormalization";
    }

    @Override
    public OpTrait trait() {
        return training ? OpTrait.REDUCTION : OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        in.require(!x.isRanked() || x.rank() >= 1, "the rank must be at least 1");
        Dim channels = !x.isRanked() ? Dim.unknown() : x.rank() == 1 ? Dim.of(1) : x.dim(1);
        for (int i = 1; i <= 4; i++) {
            SymbolicShape s = in.shape(i);
            in.require(!s.isRanked() || s.rank() == 1, "input " + i + " must be a vector");
            in.require(
                    !s.isRanked() || !DimMath.clash(s.dim(0), channels),
                    "input " + i + " has " + s + " elements for " + channels + " channels");
        }
        if (!training) {
            return List.of(in.tensor(0));
        }
        return List.of(
                in.tensor(0), new TensorType(in.dtype(3), in.shape(3)), new TensorType(in.dtype(4), in.shape(4)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        long channels = s.rank() == 1 ? 1 : s.dim(1);
        for (int i = 1; i <= 4; i++) {
            in.require(in.tensor(i).size() == channels, "input " + i + " does not have one element a channel");
        }
        int inner = Limits.arrayLength(in, s.rank() == 1 ? 1 : s.product(2, s.rank()));
        Tensor y = in.allocate(x.type(), s);
        Tensor runningMean = in.allocate(in.tensor(3).type(), channels);
        Tensor runningVariance = in.allocate(in.tensor(4).type(), channels);
        double[] row = new double[inner];
        for (long c = 0; c < channels; c++) {
            double mean = in.tensor(3).getDouble(c);
            double variance = in.tensor(4).getDouble(c);
            if (training) {
                double[] batch = batchStatistics(x, c, channels, row);
                runningMean.setDouble(c, mean * momentum + batch[0] * (1 - momentum));
                runningVariance.setDouble(c, variance * momentum + batch[1] * (1 - momentum));
                mean = batch[0];
                variance = batch[1];
            }
            double factor = in.tensor(1).getDouble(c) / Math.sqrt(variance + epsilon);
            double bias = in.tensor(2).getDouble(c);
            for (long n = 0; n < s.dim(0); n++) {
                long from = (n * channels + c) * inner;
                Blocks.load(x, from, row, 0, inner);
                for (int i = 0; i < inner; i++) {
                    row[i] = (row[i] - mean) * factor + bias;
                }
                Blocks.store(y, from, row, 0, inner);
            }
        }
        return training ? List.of(y, runningMean, runningVariance) : List.of(y);
    }

    private static double[] batchStatistics(Tensor x, long c, long channels, double[] row) {
        long batch = x.shape().dim(0);
        double sum = 0;
        for (long n = 0; n < batch; n++) {
            Blocks.load(x, (n * channels + c) * row.length, row, 0, row.length);
            sum += ReduceFn.SUM.ofDoubles(row, 0, row.length);
        }
        double count = (double) batch * row.length;
        double mean = sum / count;
        double squares = 0;
        for (long n = 0; n < batch; n++) {
            Blocks.load(x, (n * channels + c) * row.length, row, 0, row.length);
            for (double v : row) {
                squares += (v - mean) * (v - mean);
            }
        }
        return new double[] {mean, squares / count};
    }
}
