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
import java.util.List;

/**
 * Joins two texts elementwise with broadcasting.
 * Inputs   x, y: STRING, broadcast.    Output STRING.
 * Source   ONNX StringConcat-20.
 */
public record StringConcat() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("StringConcat", n -> new StringConcat()));

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.STRING);
        in.requireType(1, DataType.STRING);
        return List.of(new TensorType(DataType.STRING, SymbolicShape.broadcast(in.shape(0), in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        Tensor y = Limits.allocate(in, DataType.STRING, Broadcast.shape(a.shape(), b.shape()));
        Broadcast.forEach(
                y.shape(),
                new Shape[] {a.shape(), b.shape()},
                (o, i) -> y.setString(o, a.getString(i[0]) + b.getString(i[1])));
        return List.of(y);
    }
}
