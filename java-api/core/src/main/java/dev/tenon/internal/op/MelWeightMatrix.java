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
import java.util.List;

/**
 * Triangular filters that gather the bins of a spectrum in bands of equal width on the mel scale, 2595 log10(1 + f / 700).
 * Inputs   bands, transform length, sample rate: INT32 or INT64 scalars; lowest and highest frequency in hertz: float scalars.
 * Output   [length / 2 + 1, bands] of {@code dtype}.
 * Rules    sizes and the sample rate are positive.
 * Source   ONNX MelWeightMatrix-17.
 */
public record MelWeightMatrix(DataType dtype) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("MelWeightMatrix", n -> new MelWeightMatrix(n.dtype("output_datatype", DataType.FLOAT32))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        long bands = in.longs(0).map(l -> l[0]).orElse(-1L);
        long length = in.longs(1).map(l -> l[0]).orElse(-1L);
        in.require(in.longs(0).isEmpty() || bands >= 0, "there are " + bands + " bands");
        in.require(in.longs(1).isEmpty() || length >= 0, "the transform length is " + length);
        return List.of(new TensorType(
                dtype,
                SymbolicShape.of(
                        length < 0 ? Dim.unknown() : Dim.of(length / 2 + 1),
                        bands < 0 ? Dim.unknown() : Dim.of(bands))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        long bands = in.tensor(0).getLong(0);
        long length = in.tensor(1).getLong(0);
        long rate = in.tensor(2).getLong(0);
        double low = mel(in.tensor(3).getDouble(0));
        double high = mel(in.tensor(4).getDouble(0));
        in.require(bands >= 0 && length >= 0 && rate > 0, "sizes and the sample rate must be positive");
        Limits.check(in, DataType.INT64, bands);
        Tensor y = Limits.allocate(in, dtype, length / 2 + 1, bands);
        long[] edges = new long[Limits.arrayLength(in, bands + 2)];
        for (int i = 0; i < edges.length; i++) {
            double hertz = 700 * (Math.pow(10, (low + i * (high - low) / (bands + 2)) / 2595) - 1);
            edges[i] = (long) Math.floor((length + 1) * hertz / rate);
        }
        long bins = length / 2 + 1;
        for (int b = 0; b < bands; b++) {
            long left = edges[b];
            long centre = edges[b + 1];
            long right = edges[b + 2];
            if (left == centre) {
                put(y, bins, bands, centre, b, 1);
            } else {
                for (long i = Math.max(0, left); i <= Math.min(centre, bins - 1); i++) {
                    put(y, bins, bands, i, b, (double) (i - left) / (centre - left));
                }
            }
            for (long i = Math.max(0, centre); right > centre && i < Math.min(right, bins); i++) {
                put(y, bins, bands, i, b, (double) (right - i) / (right - centre));
            }
        }
        return List.of(y);
    }

    private static void put(Tensor y, long bins, long bands, long bin, int band, double v) {
        if (bin >= 0 && bin < bins) {
            y.setDouble(bin * bands + band, v);
        }
    }

    private static double mel(double hertz) {
        return 2595 * Math.log10(1 + hertz / 700);
    }
}
