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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Drops axes of size 1.
 * Inputs   x: any type; axes (optional): INT64 vector, by default every axis of size 1.    Output y: the same elements.
 * Rules    axes are in [-rank, rank), each once; the dimensions dropped are 1.    Aliasing: y is x under another shape.
 * Source   ONNX Squeeze-25; before version 13 axes is an attribute.
 */
public record Squeeze() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Squeeze", n -> {
        if (n.opset() < 13 && n.has("axes")) {
            n.constantInput(1, n.integers("axes"));
        }
        return new Squeeze();
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        DataType type = in.dtype(0);
        Optional<long[]> given = in.longs(1);
        if (!x.isRanked() || (in.has(1) && given.isEmpty()) || (!in.has(1) && !x.isConcrete())) {
            return List.of(TensorType.unranked(type));
        }
        int[] axes = given.map(a -> Axes.normalize(in, a, x.rank())).orElse(null);
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < x.rank(); i++) {
            boolean drop = axes == null ? x.dim(i).is(1) : Axes.contains(axes, i);
            if (!drop) {
                out.add(x.dim(i));
            } else {
                in.require(!x.dim(i).isKnown() || x.dim(i).is(1), "axis " + i + " has size " + x.dim(i) + ", not 1");
            }
        }
        return List.of(new TensorType(type, SymbolicShape.of(out)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.dims(0).filter(d -> d.size() <= 1);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape s = x.shape();
        int[] axes = in.has(1) ? Axes.normalize(in, in.tensor(1).toLongArray(), s.rank()) : null;
        List<Long> out = new ArrayList<>();
        for (int i = 0; i < s.rank(); i++) {
            boolean drop = axes == null ? s.dim(i) == 1 : Axes.contains(axes, i);
            in.require(!drop || s.dim(i) == 1, "axis " + i + " has size " + s.dim(i) + ", not 1");
            if (!drop) {
                out.add(s.dim(i));
            }
        }
        return List.of(
                x.reshaped(Shape.of(out.stream().mapToLong(Long::longValue).toArray())));
    }
}
