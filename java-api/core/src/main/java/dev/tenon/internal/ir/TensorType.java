package dev.tenon.internal.ir;

import dev.tenon.DataType;
import dev.tenon.Shape;

/** A tensor of this element type and (partly known) shape. */
public record TensorType(DataType dtype, SymbolicShape shape) implements ValueType {
    public static TensorType of(DataType dtype, Shape shape) {
        return new TensorType(dtype, SymbolicShape.of(shape));
    }

    public static TensorType unranked(DataType dtype) {
        return new TensorType(dtype, SymbolicShape.UNRANKED);
    }

    public boolean isConcrete() {
        return shape.isConcrete();
    }

    @Override
    public String toString() {
        return dtype.name().toLowerCase(java.util.Locale.ROOT) + "[" + shape + "]";
    }
}
