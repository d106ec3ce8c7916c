package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.Arrays;
import java.util.List;

/**
 * A function of each element:  y = fn(x; alpha, beta).
 * Inputs   x: any numeric type.    Output y: the type and shape of x.    Aliasing: y may be x.
 * Source   ONNX Relu-14, Sigmoid-13, LeakyRelu-16 ...
 */
public record Unary(UnaryFn fn, float alpha, float beta) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(UnaryFn.values())
            .filter(f -> f.onnxName != null)
            .map(f -> OpSpec.onnx(
                    f.onnxName, n -> new Unary(f, n.real("alpha", f.alpha), n.real("beta", f.beta))))
            .toList();

    public static Unary of(UnaryFn fn) {
        return new Unary(fn, fn.alpha, fn.beta);
    }

    @Override
    public String name() {
        return fn.onnxName == null ? fn.name() : fn.onnxName;
    }

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
        Tensor y = in.allocate(x.type(), x.shape());
        for (long i = 0, n = x.size(); i < n; i++) {
            y.setDouble(i, apply(x.getDouble(i)));
        }
        return List.of(y);
    }

    /** The function of one number. */
    public double apply(double x) {
        return fn.body.apply(x, alpha, beta);
    }
}
