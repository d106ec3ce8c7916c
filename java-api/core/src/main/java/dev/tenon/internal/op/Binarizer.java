package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * 1 where x is over a threshold, else 0.
 * Inputs   x: float or integer.    Output y, x's type and shape.
 * Source   ONNX ai.onnx.ml Binarizer-1.
 */
public record Binarizer(float threshold) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.of("ai.onnx.ml", "Binarizer", n -> new Binarizer(n.real("threshold", 0))));

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = Limits.allocate(in, x.type(), x.shape());
        for (long i = 0, n = x.size(); i < n; i++) {
            y.setDouble(i, x.getDouble(i) > threshold ? 1 : 0);
        }
        return List.of(y);
    }
}
