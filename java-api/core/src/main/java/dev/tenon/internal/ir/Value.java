package dev.tenon.internal.ir;

/** An edge of the graph: written once, read any number of times. Identity is what counts; the name is for people. */
public final class Value {
    /** Stands for an optional input or output that is left out. */
    public static final Value ABSENT = new Value("", TensorType.unranked(dev.tenon.DataType.FLOAT32));

    private final String name;
    private final ValueType type;

    public Value(String name, ValueType type) {
        this.name = name;
        this.type = type;
    }

    public String name() {
        return name;
    }

    public ValueType type() {
        return type;
    }

    public boolean isAbsent() {
        return this == ABSENT;
    }

    /** The type as a tensor's. @throws dev.tenon.ShapeException if it is a sequence or optional */
    public TensorType tensorType() {
        if (type instanceof TensorType t) {
            return t;
        }
        throw new dev.tenon.ShapeException("value '" + name + "' is a " + type + "; a tensor was expected");
    }

    @Override
    public String toString() {
        return isAbsent() ? "-" : "%" + name + ": " + type;
    }
}
