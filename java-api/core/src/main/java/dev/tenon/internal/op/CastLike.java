package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Converts elements to the type of another tensor.
 * Inputs   x: any type but complex; like: any type but complex, only its type counts.
 * Output   y: the type of like, the shape of x.    Numerics as {@link Conversion} says.
 * Source   ONNX CastLike-25.
 */
public record CastLike(boolean saturate, Cast.Rounding rounding) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("CastLike", n -> new CastLike(n.flag("saturate", true), Cast.Rounding.of(n))));

    @Override
    public OpTrait trait() {
        // Elementwise in x alone: the shape of the second input has no part in the result's.
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        Conversion.require(in, in.dtype(0), in.dtype(1));
        return List.of(new TensorType(in.dtype(1), in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(new Conversion(in.tensor(1).type(), saturate, rounding).apply(in, in.tensor(0)));
    }
}
