package dev.tenon.internal.ir;

/** A list of values of one type. */
public record SequenceType(ValueType element) implements ValueType {
    @Override
    public String toString() {
        return "seq(" + element + ")";
    }
}
