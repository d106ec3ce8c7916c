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
 * Picks columns of the last axis.
 * Inputs   x [..., F]; INT64 indices, flattened.    Output [..., K] (a vector counts as one row).
 * Rules    indices lie in [0, F).
 * Source   ONNX ai.onnx.ml ArrayFeatureExtractor-1.
 */
public record ArrayFeatureExtractor() implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.of("ai.onnx.ml", "ArrayFeatureExtractor", n -> new ArrayFeatureExtractor()));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64);
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        in.require(x.rank() >= 1, "x is a scalar");
        Dim count = in.shape(1).isConcrete() ? Dim.of(in.shape(1).concrete().elements()) : Dim.unknown();
        return List.of(
                new TensorType(in.dtype(0), x.rank() == 1 ? SymbolicShape.of(Dim.of(1), count) : x.withDim(-1, count)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        in.require(x.shape().rank() >= 1, "x is a scalar");
        long[] indices = in.tensor(1).toLongArray();
        long features = x.shape().dim(-1);
        for (long i : indices) {
            in.require(i >= 0 && i < features, "index " + i + " is outside [0, " + features + ")");
        }
        long[] dims = x.shape().rank() == 1 ? new long[] {1, 0} : x.shape().dims();
        dims[dims.length - 1] = indices.length;
        Tensor y = Limits.allocate(in, x.type(), dims);
        for (long r = 0; r < y.size() / Math.max(1, indices.length); r++) {
            for (int i = 0; i < indices.length; i++) {
                y.setFrom(r * indices.length + i, x, r * features + indices[i]);
            }
        }
        return List.of(y);
    }
}
