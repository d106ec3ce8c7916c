package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
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
 * Combines two boolean tensors with broadcasting:  y = a fn b.
 * Inputs   a, b: BOOL.    Output y: BOOL, the broadcast shape.    Rules a and b broadcast.
 * Source   ONNX And-7, Or-7, Xor-7.
 */
public record Logical(LogicalFn fn) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(LogicalFn.values())
            .map(f -> OpSpec.onnx(f.onnxName, n -> new Logical(f)))
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
        in.requireType(0, DataType.BOOL);
        in.requireType(1, DataType.BOOL);
        return List.of(new TensorType(DataType.BOOL, SymbolicShape.broadcast(in.shape(0), in.shape(1))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        Tensor y = Limits.allocate(in, DataType.BOOL, Broadcast.shape(a.shape(), b.shape()));
        Elementwise.longs(y, List.of(a, b), (v, out, n) -> {
            for (int i = 0; i < n; i++) {
                out[i] = fn.body.applyAsLong(v[0][i], v[1][i]);
            }
        });
        return List.of(y);
    }
}
