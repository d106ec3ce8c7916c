package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Limits elements to a range:  y = min(max(x, low), high).
 * Inputs   x: numeric; low, high (both optional): scalars of that type.    Output y: the type and shape of x.
 * Rules    low and high have the type of x and one element.    Where low > high the result is high.
 * Numerics NaN stays NaN.
 * Source   ONNX Clip-13; before version 11 the bounds are attributes.
 */
public record Clip() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Clip", n -> {
        if (n.opset() < 11) {
            return new Unary(
                    UnaryFn.CLIP, n.real("min", Float.NEGATIVE_INFINITY), n.real("max", Float.POSITIVE_INFINITY));
        }
        return new Clip();
    }));

    @Override
    public OpTrait trait() {
        // Without bounds as constants it is not one function of x; a rewrite makes Unary(CLIP) of the usual form.
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.dtype(0);
        in.require(type.isFloat() || type.isInteger(), "not defined for element type " + type);
        for (int i = 1; i <= 2; i++) {
            if (in.has(i)) {
                in.require(in.dtype(i) == type, "a bound has element type " + in.dtype(i) + "; expected " + type);
                in.require(
                        !in.shape(i).isConcrete() || in.shape(i).concrete().elements() == 1,
                        "a bound has shape " + in.shape(i) + "; expected one element");
            }
        }
        return List.of(in.tensor(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = in.allocate(x.type(), x.shape());
        for (int i = 1; i <= 2; i++) {
            in.require(!in.has(i) || in.tensor(i).size() == 1, "bounds must have one element");
        }
        boolean low = in.has(1);
        boolean high = in.has(2);
        if (x.type().isInteger()) {
            boolean u = x.type().isUnsigned();
            long min = low ? in.tensor(1).getLong(0) : 0;
            long max = high ? in.tensor(2).getLong(0) : 0;
            Elementwise.longs(y, List.of(x), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    long e = v[0][i];
                    if (low && (u ? Long.compareUnsigned(e, min) < 0 : e < min)) {
                        e = min;
                    }
                    if (high && (u ? Long.compareUnsigned(e, max) > 0 : e > max)) {
                        e = max;
                    }
                    out[i] = e;
                }
            });
        } else {
            double min = low ? in.tensor(1).getDouble(0) : Double.NEGATIVE_INFINITY;
            double max = high ? in.tensor(2).getDouble(0) : Double.POSITIVE_INFINITY;
            Elementwise.doubles(y, List.of(x), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = Math.min(Math.max(v[0][i], min), max);
                }
            });
        }
        return List.of(y);
    }
}
