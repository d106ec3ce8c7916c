package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * An optional value: the input, or nothing.
 * Inputs   a tensor or sequence, or absent.    Output an optional.
 * Source   ONNX Optional-15.
 *
 * @param type what the optional may hold if there is no input
 */
public record MakeOptional(Optional<ValueType> type) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "Optional",
            n -> new MakeOptional(n.raw("type").map(t -> {
                if (t instanceof ValueType v) {
                    return v;
                }
                throw n.error("attribute 'type' is not a type");
            }))));

    @Override
    public String name() {
        return "Optional";
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        if (in.has(0)) {
            return List.of(new OptionalType(in.type(0)));
        }
        in.require(type.isPresent(), "an empty optional needs its type");
        return List.of(type.get() instanceof OptionalType ? type.get() : new OptionalType(type.get()));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(in.has(0) ? new OptionalDatum(in.datum(0)) : OptionalDatum.EMPTY);
    }
}
