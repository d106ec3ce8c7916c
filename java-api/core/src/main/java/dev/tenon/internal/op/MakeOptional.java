package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.OptionalDatum;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.OptionalType;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * An optional value: the input, or nothing.
 * Inputs   a tensor or sequence, or absent.    Output an optional.
 * Source   ONNX Optional-15.
 *
 * @param element the tensors that the optional may hold if there is no input
 * @param sequence it may hold sequences of them
 */
public record MakeOptional(Optional<DataType> element, boolean sequence) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Optional", MakeOptional::read));

    private static MakeOptional read(OnnxNode n) {
        Object type = n.raw("type").orElse(null);
        boolean sequence = type instanceof SequenceType;
        Object inner = type instanceof SequenceType(ValueType e) ? e : type;
        if (inner == null) {
            return new MakeOptional(Optional.empty(), false);
        }
        if (inner instanceof TensorType t) {
            return new MakeOptional(Optional.of(t.dtype()), sequence);
        }
        throw n.error("attribute 'type' is " + type + "; expected a tensor or a sequence of tensors");
    }

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
        in.require(element.isPresent(), "an empty optional needs its type");
        ValueType inner = TensorType.unranked(element.orElseThrow());
        return List.of(new OptionalType(sequence ? new SequenceType(inner) : inner));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(in.has(0) ? new OptionalDatum(in.datum(0)) : OptionalDatum.EMPTY);
    }
}
