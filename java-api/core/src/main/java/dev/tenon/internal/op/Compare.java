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
import java.util.Arrays;
import java.util.List;

/**
 * Compares two tensors with broadcasting:  y = a fn b.
 * Inputs   a, b: any real numeric type, the same for both; Equal takes booleans and text too.    Output y: BOOL.
 * Rules    a and b have one element type and broadcast.
 * Numerics NaN equals nothing and is neither less nor greater.
 * Source   ONNX Equal-19, Less-13, LessOrEqual-16, Greater-13, GreaterOrEqual-16.
 */
public record Compare(CompareFn fn) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(CompareFn.values())
            .map(f -> OpSpec.onnx(f.onnxName, n -> new Compare(f)))
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
        DataType type = in.dtype(0);
        in.require(type == in.dtype(1), "element types differ");
        in.require(
                type.isFloat()
                        || type.isInteger()
                        || (fn == CompareFn.EQUAL && (type == DataType.BOOL || type == DataType.STRING)),
                "not defined for element type " + type);
        return List.of(new TensorType(DataType.BOOL, SymbolicShape.broadcast(in.shape(0), in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        Tensor y = Limits.allocate(in, DataType.BOOL, Broadcast.shape(a.shape(), b.shape()));
        if (a.type() == DataType.STRING) {
            Broadcast.forEach(
                    y.shape(),
                    new Shape[] {a.shape(), b.shape()},
                    (o, i) -> y.setBoolean(o, fn.test(a.getString(i[0]).compareTo(b.getString(i[1])))));
        } else if (Blocks.asLongs(a.type())) {
            boolean unsigned = a.type().isUnsigned();
            Elementwise.longs(y, List.of(a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = (unsigned ? fn.testUnsigned(v[0][i], v[1][i]) : fn.test(v[0][i], v[1][i])) ? 1 : 0;
                }
            });
        } else {
            Elementwise.test(y, List.of(a, b), (v, out, n) -> {
                for (int i = 0; i < n; i++) {
                    out[i] = fn.test(v[0][i], v[1][i]) ? 1 : 0;
                }
            });
        }
        return List.of(y);
    }
}
