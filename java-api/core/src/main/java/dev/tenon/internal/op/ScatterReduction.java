package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import java.util.Objects;

/** What a scatter does with an element that is there already. */
public enum ScatterReduction {
    NONE,
    ADD,
    MUL,
    MIN,
    MAX;

    static ScatterReduction of(OnnxNode n) {
        return switch (n.text("reduction", "none")) {
            case "none" -> NONE;
            case "add" -> ADD;
            case "mul" -> MUL;
            case "min" -> MIN;
            case "max" -> MAX;
            default ->
                throw n.error("attribute 'reduction' is '" + n.text("reduction", "none")
                        + "'; expected 'none', 'add', 'mul', 'min' or 'max'");
        };
    }

    boolean accepts(DataType type) {
        return this == NONE || type.isInteger() || type.isFloat();
    }

    /** Element {@code i} of {@code y} combined with element {@code k} of {@code updates}. */
    void apply(Tensor y, long i, Tensor updates, long k) {
        BinaryFn fn = switch (this) {
            case NONE -> null;
            case ADD -> BinaryFn.ADD;
            case MUL -> BinaryFn.MUL;
            case MIN -> BinaryFn.MIN;
            case MAX -> BinaryFn.MAX;
        };
        if (fn == null) {
            y.setFrom(i, updates, k);
        } else if (y.type().isInteger()) {
            y.setLong(i, fn.onIntegers(y.type()).applyAsLong(y.getLong(i), updates.getLong(k)));
        } else {
            y.setDouble(i, Objects.requireNonNull(fn.onDoubles).applyAsDouble(y.getDouble(i), updates.getDouble(k)));
        }
    }
}
