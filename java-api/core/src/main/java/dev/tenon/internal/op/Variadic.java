package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/**
 * Sum, mean, minimum or maximum of any number of tensors with broadcasting.
 * Inputs   one or more, numeric, one type.    Output y: that type, the broadcast shape.
 * Rules    there is at least one input; all have one element type and broadcast.
 * Numerics the reference accumulates in double (integers in long) from the first input to the last.
 * Source   ONNX Sum-13, Mean-13, Min-13, Max-13. With two inputs all but the mean are imported as {@link Binary}.
 */
public record Variadic(VariadicFn fn) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(VariadicFn.values())
            .map(f -> OpSpec.onnx(
                    f.onnxName,
                    n -> n.inputCount() == 2 && f != VariadicFn.MEAN ? new Binary(f.step) : new Variadic(f)))
            .toList();

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
        in.require(in.inputCount() > 0, "there is no input");
        DataType type = in.dtype(0);
        in.require(fn.step.accepts(type), "not defined for element type " + type);
        SymbolicShape shape = in.shape(0);
        for (int i = 1; i < in.inputCount(); i++) {
            in.require(in.dtype(i) == type, "element types differ");
            shape = SymbolicShape.broadcast(shape, in.shape(i));
        }
        return List.of(new TensorType(type, shape));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        List<Tensor> inputs = new ArrayList<>();
        for (int i = 0; i < in.inputCount(); i++) {
            inputs.add(in.tensor(i));
        }
        DataType type = inputs.getFirst().type();
        Tensor y = Limits.allocate(
                in, type, Broadcast.shape(inputs.stream().map(Tensor::shape).toArray(Shape[]::new)));
        if (type.isInteger()) {
            LongBinaryOperator f = fn.step.onIntegers(type);
            Elementwise.longs(y, inputs, (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    long r = v[0][i];
                    for (int k = 1; k < v.length; k++) {
                        r = f.applyAsLong(r, v[k][i]);
                    }
                    out[i] = fn == VariadicFn.MEAN ? r / v.length : r;
                }
            });
        } else {
            DoubleBinaryOperator f = Objects.requireNonNull(fn.step.onDoubles);
            Elementwise.doubles(y, inputs, (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    double r = v[0][i];
                    for (int k = 1; k < v.length; k++) {
                        r = f.applyAsDouble(r, v[k][i]);
                    }
                    out[i] = fn == VariadicFn.MEAN ? r / v.length : r;
                }
            });
        }
        return List.of(y);
    }
}
