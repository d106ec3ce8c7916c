package dev.tenon.internal.op;

import dev.tenon.DataType;
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
 * Converts elements:  y = (to) x.
 * Inputs   x: any type but complex.    Output y: element type {@code to}, the shape of x.
 * Numerics as {@link Conversion} says.
 * Source   ONNX Cast-25.
 */
public record Cast(DataType to, boolean saturate, Rounding rounding) implements Op {
    /** How FLOAT8E8M0 rounds to a power of two. */
    public enum Rounding {
        UP,
        DOWN,
        NEAREST;

        static Rounding of(OnnxNode n) {
            return switch (n.text("round_mode", "up")) {
                case "up" -> UP;
                case "down" -> DOWN;
                case "nearest" -> NEAREST;
                default ->
                    throw n.error("attribute 'round_mode' is '" + n.text("round_mode", "")
                            + "'; expected 'up', 'down' or 'nearest'");
            };
        }
    }

    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("Cast", n -> new Cast(target(n), n.flag("saturate", true), Rounding.of(n))));

    private static DataType target(OnnxNode n) {
        if (!(n.raw("to").orElse(null) instanceof String name)) {
            return DataType.ofCode(n.requireInteger("to"));
        }
        // Version 1 named the type.
        return switch (name) {
            case "FLOAT" -> DataType.FLOAT32;
            case "DOUBLE" -> DataType.FLOAT64;
            default -> {
                for (DataType t : DataType.values()) {
                    if (t.name().equals(name)) {
                        yield t;
                    }
                }
                throw n.error("attribute 'to' is '" + name + "', which is not an element type");
            }
        };
    }

    public static Cast of(DataType to) {
        return new Cast(to, true, Rounding.UP);
    }

    @Override
    public OpTrait trait() {
        return OpTrait.ELEMENTWISE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        Conversion.require(in, in.dtype(0), to);
        return List.of(new TensorType(to, in.shape(0)));
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        boolean integers = in.dtype(0).isInteger() && (to == DataType.INT64 || to == DataType.INT32);
        return integers ? in.dims(0) : Optional.empty();
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        return List.of(new Conversion(to, saturate, rounding).apply(in, in.tensor(0)));
    }
}
