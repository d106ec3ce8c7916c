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

/**
 * Whether each element is NaN, or infinite:  y = fn(x; alpha, beta).
 * Inputs   x: any float type.    Output y: BOOL, the shape of x.
 * Source   ONNX IsNaN-20, IsInf-20 (alpha is detect_positive, beta detect_negative).
 */
public record FloatTest(FloatTestFn fn, float alpha, float beta) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("IsNaN", n -> new FloatTest(FloatTestFn.IS_NAN, 0, 0)),
            OpSpec.onnx(
                    "IsInf",
                    n -> new FloatTest(
                            FloatTestFn.IS_INF,
                            n.flag("detect_positive", true) ? 1 : 0,
                            n.flag("detect_negative", true) ? 1 : 0)));

    @Override
    public String name() {
        return fn.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        return List.of(new TensorType(DataType.BOOL, in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = in.allocate(DataType.BOOL, x.shape());
        Elementwise.test(y, List.of(x), (v, out, n) -> {
            for (int i = 0; i < n; i++) {
                out[i] = fn.test(v[0][i], alpha, beta) ? 1 : 0;
            }
        });
        return List.of(y);
    }
}
