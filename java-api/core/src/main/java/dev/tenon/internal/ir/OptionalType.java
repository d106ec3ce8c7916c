package dev.tenon.internal.ir;

/** A value of this type, or nothing. */
public record OptionalType(ValueType element) implements ValueType {
    @Override
    public String toString() {
        return "optional(" + element + ")";
    }
}
