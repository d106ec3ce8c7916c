package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * The input itself:  y = x.
 * Inputs   x: a tensor, sequence or optional of any type.    Output y: x.    Aliasing: y is x.
 * Source   ONNX Identity-25.
 */
public record Identity() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Identity", n -> new Identity()));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        return List.of(in.type(0));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        return in.type(0) instanceof TensorType ? in.dims(0) : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(in.datum(0));
    }
}
