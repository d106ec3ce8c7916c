package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Random ones with the given probabilities, zeros otherwise.
 * Inputs   x: float probabilities.    Output y of {@code dtype}, or x's type; x's shape.
 * Rules    probabilities lie in [0, 1].
 * Source   ONNX Bernoulli-22.
 */
public record Bernoulli(Optional<DataType> dtype, Optional<Float> seed) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "Bernoulli",
            n -> new Bernoulli(
                    n.has("dtype") ? Optional.of(n.dtype("dtype", DataType.FLOAT32)) : Optional.empty(),
                    RandomFill.seed(n))));

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
        in.require(in.dtype(0).isFloat(), "probabilities have element type " + in.dtype(0));
        return List.of(new TensorType(dtype.isPresent() ? dtype.get() : in.dtype(0), in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = Limits.allocate(in, dtype.isPresent() ? dtype.get() : x.type(), x.shape());
        SplittableRandom random = RandomFill.generator(seed);
        for (long i = 0, n = x.size(); i < n; i++) {
            double p = x.getDouble(i);
            in.require(p >= 0 && p <= 1, "a probability is " + p);
            y.setDouble(i, random.nextDouble() < p ? 1 : 0);
        }
        return List.of(y);
    }
}
