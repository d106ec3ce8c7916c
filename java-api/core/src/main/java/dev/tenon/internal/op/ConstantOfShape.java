package dev.tenon.internal.op;

import dev.tenon.DataType;
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
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * A tensor of one value.
 * Inputs   shape: INT64 vector.    Output y: that shape, every element {@code value} converted to {@code type}.
 * Rules    sizes are not negative.
 * Source   ONNX ConstantOfShape-25; the value is 0 in FLOAT32 by default.
 */
public record ConstantOfShape(DataType type, long bits) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("ConstantOfShape", n -> {
        Optional<Tensor> value = n.tensor("value");
        if (value.isEmpty()) {
            return new ConstantOfShape(DataType.FLOAT32, 0);
        }
        Tensor t = value.get();
        if (t.size() != 1 || t.type() == DataType.STRING || t.type().isComplex()) {
            throw n.error("attribute 'value' is " + t + "; expected one number");
        }
        return new ConstantOfShape(
                t.type(), Blocks.asLongs(t.type()) ? t.getLong(0) : Double.doubleToRawLongBits(t.getDouble(0)));
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        Optional<List<Dim>> dims = in.dims(0);
        if (dims.isPresent()) {
            in.require(
                    dims.get().stream().allMatch(d -> !(d instanceof Dim.Known(long n)) || n >= 0),
                    "the shape " + dims.get() + " has a negative size");
            return List.of(new TensorType(type, SymbolicShape.of(dims.get())));
        }
        SymbolicShape s = in.shape(0);
        boolean rankKnown = s.isRanked() && s.rank() == 1 && s.dim(0).isKnown() && s.size(0) <= Shape.MAX_RANK;
        return List.of(
                new TensorType(type, rankKnown ? SymbolicShape.ofRank((int) s.size(0)) : SymbolicShape.UNRANKED));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        Optional<long[]> shape = in.longs(0);
        if (type != DataType.INT64 || shape.isEmpty() || shape.get().length > 1) {
            return Optional.empty();
        }
        long n = shape.get().length == 0 ? 1 : shape.get()[0];
        return n >= 0 && n <= Shape.MAX_RANK
                ? Optional.of(Collections.nCopies((int) n, Dim.of(bits)))
                : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor y = Limits.allocate(in, type, in.tensor(0).toLongArray());
        if (bits == 0 || y.size() == 0) {
            return List.of(y);
        }
        if (Blocks.asLongs(type)) {
            y.setLong(0, bits);
        } else {
            y.setDouble(0, Double.longBitsToDouble(bits));
        }
        Strided.copy(new long[] {y.size() - 1}, y, 0, new long[] {0}, y, 1, new long[] {1});
        return List.of(y);
    }
}
