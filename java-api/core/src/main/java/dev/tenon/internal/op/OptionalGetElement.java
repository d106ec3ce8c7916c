package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * The value that an optional holds.
 * Inputs   an optional, or a plain value, which is passed on.    Output the value.
 * Rules    the optional is not empty.
 * Source   ONNX OptionalGetElement-18.
 */
public record OptionalGetElement() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("OptionalGetElement", n -> new OptionalGetElement()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        return List.of(in.type(0) instanceof OptionalType(ValueType element) ? element : in.type(0));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Datum value = in.optional(0).value();
        if (value == null) {
            throw in.error("the optional is empty");
        }
        return List.of(value);
    }
}
