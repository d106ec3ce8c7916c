package dev.tenon.internal.op;

import dev.tenon.DataType;
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
 * Reverses the first length[b] entries along the time axis for each batch entry b; the rest stays.
 * Inputs   x: any type, rank >= 2; lengths: INT64 [B].    Output y: the type and shape of x.
 * Rules    timeAxis and batchAxis are 0 and 1 in either order; lengths are in [0, T].
 * Source   ONNX ReverseSequence-10.
 */
public record ReverseSequence(long timeAxis, long batchAxis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("ReverseSequence", n -> {
        long time = n.integer("time_axis", 0);
        long batch = n.integer("batch_axis", 1);
        if (time < 0 || time > 1 || batch < 0 || batch > 1 || time == batch) {
            throw n.error("time_axis " + time + " and batch_axis " + batch + " are not 0 and 1 or 1 and 0");
        }
        return new ReverseSequence(time, batch);
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64);
        in.require(!in.shape(0).isRanked() || in.shape(0).rank() >= 2, "the rank must be at least 2");
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor lengths = in.tensor(1);
        Shape s = x.shape();
        in.require(s.rank() >= 2, "the rank must be at least 2");
        int time = (int) timeAxis;
        int batch = (int) batchAxis;
        in.require(
                lengths.size() == s.dim(batch),
                "there are " + lengths.size() + " lengths for a batch of " + s.dim(batch));
        Tensor y = in.allocate(x.type(), s);
        long[] strides = s.strides();
        long[] dims = s.dims();
        dims[batch] = 1;
        dims[time] = 1;
        for (long b = 0; b < s.dim(batch); b++) {
            long n = lengths.getLong(b);
            in.require(n >= 0 && n <= s.dim(time), "length " + n + " is outside [0, " + s.dim(time) + "]");
            for (long t = 0; t < s.dim(time); t++) {
                long from = t < n ? n - 1 - t : t;
                long base = b * strides[batch];
                Strided.copy(dims, x, base + from * strides[time], strides, y, base + t * strides[time], strides);
            }
        }
        return List.of(y);
    }
}
