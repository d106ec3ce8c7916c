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
 * Arithmetic on two tensors with broadcasting:  y = fn(a, b).
 * Inputs   a, b: any numeric type, the same for both.    Output y: that type, the broadcast shape.
 * Rules    a and b have one element type and broadcast.
 * Source   ONNX Add-14, Sub-14, Mul-14, Div-14 ...
 */
public record Binary(BinaryFn fn) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(BinaryFn.values())
            .map(f -> OpSpec.onnx(f.onnxName, n -> new Binary(f)))
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
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.broadcast(in.shape(0), in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        DataType type = a.type();
        Tensor y = in.allocate(type, Broadcast.shape(a.shape(), b.shape()));
        boolean integers = type.isInteger() && fn.onLongs != null;
        Broadcast.forEach(y.shape(), new Shape[] {a.shape(), b.shape()}, (o, i) -> {
            if (integers) {
                y.setLong(o, fn.onLongs.applyAsLong(a.getLong(i[0]), b.getLong(i[1])));
            } else {
                y.setDouble(o, fn.onDoubles.applyAsDouble(a.getDouble(i[0]), b.getDouble(i[1])));
            }
        });
        return List.of(y);
    }
}
