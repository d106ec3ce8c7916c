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
 * Random numbers: normal with mean a and deviation b, or uniform in [a, b).
 * Inputs   none (the shape is fixed), or a tensor whose shape is taken.    Output y of {@code dtype}, or the input's type.
 * Rules    the type is a float.
 * Source   ONNX RandomNormal-22, RandomUniform-22, RandomNormalLike-22, RandomUniformLike-22. A seed gives the same numbers
 *          each time; they are not those of other runtimes.
 */
public record RandomFill(
        boolean normal,
        boolean like,
        float a,
        float b,
        Optional<Float> seed,
        Optional<DataType> dtype,
        List<Long> shape)
        implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("RandomNormal", n -> read(n, true, false)),
            OpSpec.onnx("RandomNormalLike", n -> read(n, true, true)),
            OpSpec.onnx("RandomUniform", n -> read(n, false, false)),
            OpSpec.onnx("RandomUniformLike", n -> read(n, false, true)));

    private static RandomFill read(OnnxNode n, boolean normal, boolean like) {
        List<Long> shape = n.integers("shape");
        if (shape.stream().anyMatch(d -> d < 0)) {
            throw n.error("shape is " + shape);
        }
        Optional<DataType> type = n.has("dtype") ? Optional.of(n.dtype("dtype", DataType.FLOAT32)) : Optional.empty();
        return new RandomFill(
                normal,
                like,
                normal ? n.real("mean", 0) : n.real("low", 0),
                normal ? n.real("scale", 1) : n.real("high", 1),
                seed(n),
                like ? type : Optional.of(type.orElse(DataType.FLOAT32)),
                like ? List.of() : shape);
    }

    static Optional<Float> seed(OnnxNode n) {
        return n.has("seed") ? Optional.of(n.requireReal("seed")) : Optional.empty();
    }

    static SplittableRandom generator(Optional<Float> seed) {
        return seed.map(s -> new SplittableRandom(Float.floatToIntBits(s))).orElseGet(SplittableRandom::new);
    }

    @Override
    public String name() {
        return (normal ? "RandomNormal" : "RandomUniform") + (like ? "Like" : "");
    }

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
        DataType type = dtype.isPresent() ? dtype.get() : in.dtype(0);
        in.require(type.isFloat(), "random numbers of " + type + " are not supported");
        SymbolicShape s = like
                ? in.shape(0)
                : SymbolicShape.of(shape.stream().map(Dim::of).toList());
        return List.of(new TensorType(type, s));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        long[] dims = like
                ? in.tensor(0).shape().dims()
                : shape.stream().mapToLong(Long::longValue).toArray();
        Tensor y = Limits.allocate(
                in, dtype.isPresent() ? dtype.get() : in.tensor(0).type(), dims);
        SplittableRandom random = generator(seed);
        for (long i = 0, n = y.size(); i < n; i++) {
            y.setDouble(i, normal ? a + b * random.nextGaussian() : a + (b - a) * random.nextDouble());
        }
        return List.of(y);
    }
}
