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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The dimensions of a tensor:  y = shape(x)[start : end].
 * Inputs   x: any type.    Output y: INT64 vector.
 * Rules    start and end count from the end where negative and are clamped to [0, rank].
 * Source   ONNX Shape-25.
 */
public record ShapeOf(long start, long end) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("Shape", n -> new ShapeOf(n.integer("start", 0), n.integer("end", Long.MAX_VALUE))));

    @Override
    public String name() {
        return "Shape";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    private static int clamp(long i, int rank) {
        return Math.clamp(i < 0 ? i + rank : i, 0, rank);
    }

    private <T> List<T> slice(List<T> dims) {
        int from = clamp(start, dims.size());
        return dims.subList(from, Math.max(from, clamp(end, dims.size())));
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        Dim n = x.isRanked() ? Dim.of(slice(x.dims()).size()) : Dim.unknown();
        return List.of(new TensorType(DataType.INT64, SymbolicShape.of(n)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.shape(0).isRanked() ? Optional.of(slice(in.shape(0).dims())) : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Long> dims =
                slice(Arrays.stream(in.tensor(0).shape().dims()).boxed().toList());
        Tensor y = in.allocate(DataType.INT64, dims.size());
        for (int i = 0; i < dims.size(); i++) {
            y.setLong(i, dims.get(i));
        }
        return List.of(y);
    }
}
