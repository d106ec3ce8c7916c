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
 * Whether an optional holds a value.
 * Inputs   an optional, a plain value (true), or absent (false).    Output BOOL scalar.
 * Source   ONNX OptionalHasElement-18.
 */
public record OptionalHasElement() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("OptionalHasElement", n -> new OptionalHasElement()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        return List.of(new TensorType(DataType.BOOL, SymbolicShape.SCALAR));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor y = in.allocate(DataType.BOOL, Shape.scalar());
        y.setBoolean(0, in.has(0) && in.optional(0).isPresent());
        return List.of(y);
    }
}
