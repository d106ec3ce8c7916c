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
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Normalisation of groups of channels:  y = (x - mean) / sqrt(variance + epsilon) * scale + bias, mean and variance over the
 * channels of a group and all trailing axes, for each batch entry.
 * Inputs   x: floats [N, C, ...]; scale, bias: floats [C] (groups elements with {@code scalePerGroup}).
 * Output   y: the type and shape of x.
 * Rules    rank >= 2; groups divides C.  {@code groups} 0 is instance normalisation: a group for each channel.
 * Numerics the reference computes in double; the variance is that of the population.
 * Source   Wu & He 2018 (Group normalization), equations 1 to 7; ONNX GroupNormalization-21 (18: a scale for each group),
 *          InstanceNormalization-22.
 */
public record GroupNorm(long groups, float epsilon, boolean scalePerGroup) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("GroupNormalization", n -> {
                long groups = n.requireInteger("num_groups");
                if (groups < 1) {
                    throw n.error("num_groups is " + groups + "; expected at least 1");
                }
                return new GroupNorm(groups, n.real("epsilon", 1e-5f), n.opset() < 21);
            }),
            OpSpec.onnx("InstanceNormalization", n -> new GroupNorm(0, n.real("epsilon", 1e-5f), false)));

    @Override
    public String name() {
        return groups == 0 ? "InstanceNormalization" : "GroupNormalization";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        if (x.isRanked()) {
            in.require(x.rank() >= 2, "the rank must be at least 2");
            Dim c = x.dim(1);
            in.require(
                    groups == 0 || !c.isKnown() || c.sizeOrMinusOne() % groups == 0,
                    groups + " groups do not divide " + c + " channels");
            Dim expected = scalePerGroup ? Dim.of(groups) : c;
            for (int i = 1; i <= 2; i++) {
                SymbolicShape s = in.shape(i);
                in.require(
                        !s.isRanked() || (s.rank() == 1 && !DimMath.clash(s.dim(0), expected)),
                        "input " + i + " has shape " + s + "; expected " + expected);
            }
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        in.require(s.rank() >= 2, "the rank must be at least 2");
        long channels = s.dim(1);
        long count = groups == 0 ? channels : groups;
        in.require(count == 0 || channels % count == 0, groups + " groups do not divide " + channels + " channels");
        Tensor y = in.allocate(x.type(), s);
        if (y.size() == 0) {
            return List.of(y);
        }
        long scales = scalePerGroup ? count : channels;
        in.require(
                in.tensor(1).size() == scales && in.tensor(2).size() == scales,
                "scale and bias need " + scales + " elements");
        long spatial = s.product(2, s.rank());
        int n = Limits.arrayLength(in, channels / count * spatial);
        double[] row = new double[n];
        for (long g = 0, total = s.dim(0) * count; g < total; g++) {
            Blocks.load(x, g * n, row, 0, n);
            double mean = ReduceFn.MEAN.ofDoubles(row, 0, n);
            double squares = 0;
            for (double v : row) {
                squares += (v - mean) * (v - mean);
            }
            double inverse = 1 / Math.sqrt(squares / n + epsilon);
            for (int i = 0; i < n; i++) {
                long at = scalePerGroup ? g % count : g % count * (channels / count) + i / spatial;
                row[i] = (row[i] - mean) * inverse * in.tensor(1).getDouble(at)
                        + in.tensor(2).getDouble(at);
            }
            Blocks.store(y, g * n, row, 0, n);
        }
        return List.of(y);
    }
}
