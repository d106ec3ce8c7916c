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
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Random classes drawn by unnormalised log-probabilities.
 * Inputs   x [B, C]: float.    Output [B, sampleSize] of {@code dtype} (INT32 or INT64): classes.
 * Rules    C is at least 1.
 * Source   ONNX Multinomial-22.
 */
public record Multinomial(long sampleSize, DataType dtype, Optional<Float> seed) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Multinomial", n -> {
        long size = n.integer("sample_size", 1);
        DataType type = n.dtype("dtype", DataType.INT32);
        if (size < 1 || type != DataType.INT32 && type != DataType.INT64) {
            throw n.error("sample_size is " + size + " and dtype " + type + "; expected a size and INT32 or INT64");
        }
        return new Multinomial(size, type, RandomFill.seed(n));
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public boolean isDeterministic() {
        return false;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0).isRanked() ? in.shape(0) : SymbolicShape.ofRank(2);
        in.require(x.rank() == 2, "x has shape " + x + "; expected [B, C]");
        in.require(x.size(1) != 0, "there are no classes to draw");
        return List.of(new TensorType(dtype, SymbolicShape.of(x.dim(0), Dim.of(sampleSize))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() == 2 && x.shape().dim(1) > 0, "x has shape " + x.shape());
        int classes = (int) x.shape().dim(1);
        Tensor y = Limits.allocate(in, dtype, x.shape().dim(0), sampleSize);
        SplittableRandom random = RandomFill.generator(seed);
        double[] v = x.toDoubleArray();
        double[] sums = new double[classes];
        for (int b = 0; b < x.shape().dim(0); b++) {
            double most = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < classes; c++) {
                most = Math.max(most, v[b * classes + c]);
            }
            double sum = 0;
            for (int c = 0; c < classes; c++) {
                sum += Math.exp(v[b * classes + c] - most);
                sums[c] = sum;
            }
            for (long s = 0; s < sampleSize; s++) {
                double at = random.nextDouble() * sum;
                int c = 0;
                while (c < classes - 1 && sums[c] <= at) {
                    c++;
                }
                y.setLong(b * sampleSize + s, c);
            }
        }
        return List.of(y);
    }
}
