package dev.tenon.internal.pass;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Graph;
import dev.tenon.internal.ir.Node;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.Value;
import dev.tenon.internal.op.Binary;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.Unary;
import dev.tenon.internal.op.UnaryFn;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** What rules look for. Each method answers with the node found, or null. */
final class Patterns {
    /** Constants over this size are not searched. */
    private static final long MAX_UNIFORM = 1 << 16;

    private Patterns() {}

    /** The node that makes {@code v}, if its operator is of this class. */
    static @Nullable Node producer(Graph g, Value v, Class<? extends Op> op) {
        Node n = g.producer(v).orElse(null);
        return n != null && op.isInstance(n.op()) ? n : null;
    }

    /** As {@link #producer}, if nobody else reads {@code v}. */
    static @Nullable Node onlyProducer(Graph g, Value v, Class<? extends Op> op) {
        return g.hasSingleUse(v) ? producer(g, v, op) : null;
    }

    /** The node that makes {@code v}, if it is this function. */
    static @Nullable Node binary(Graph g, Value v, BinaryFn fn) {
        Node n = producer(g, v, Binary.class);
        return n != null && ((Binary) n.op()).fn() == fn ? n : null;
    }

    /** The node that makes {@code v}, if it is this function. */
    static @Nullable Node unary(Graph g, Value v, UnaryFn fn) {
        Node n = producer(g, v, Unary.class);
        return n != null && ((Unary) n.op()).fn() == fn ? n : null;
    }

    static boolean is(Node n, BinaryFn fn) {
        return n.op() instanceof Binary(BinaryFn f) && f == fn;
    }

    static boolean is(Node n, UnaryFn fn) {
        return n.op() instanceof Unary u && u.fn() == fn;
    }

    /** The number, if {@code v} is a constant with one element. */
    static OptionalDouble scalar(Graph g, Value v) {
        Tensor t = g.constant(v).orElse(null);
        if (t == null
                || t.size() != 1
                || t.isPacked()
                || !(t.type().isFloat() || t.type().isInteger())) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(t.getDouble(0));
    }

    /** The number that every element of a constant is, if it is one number and the constant is not large. */
    static OptionalDouble uniform(Graph g, Value v) {
        Tensor t = g.constant(v).orElse(null);
        if (t == null
                || t.isPacked()
                || t.size() == 0
                || t.size() > MAX_UNIFORM
                || !(t.type().isFloat() || t.type().isInteger() || t.type() == DataType.BOOL)) {
            return OptionalDouble.empty();
        }
        double first = t.getDouble(0);
        for (long i = 1; i < t.size(); i++) {
            if (t.getDouble(i) != first) {
                return OptionalDouble.empty();
            }
        }
        return OptionalDouble.of(first);
    }

    /** True if {@code v} is a constant of one element within a relative 1e-4 of {@code expected}. */
    static boolean isScalar(Graph g, Value v, double expected) {
        OptionalDouble s = scalar(g, v);
        return s.isPresent() && Math.abs(s.getAsDouble() - expected) <= 1e-4 * Math.abs(expected);
    }

    /** Of two inputs of {@code n} the one that is not a constant scalar, if the other one is {@code expected}. */
    static @Nullable Value otherThan(Graph g, Node n, double expected) {
        if (isScalar(g, n.input(1), expected)) {
            return n.input(0);
        }
        return isScalar(g, n.input(0), expected) ? n.input(1) : null;
    }

    static SymbolicShape shape(Value v) {
        return v.type() instanceof TensorType t ? t.shape() : SymbolicShape.UNRANKED;
    }

    static boolean isFloat32(Value v) {
        return v.type() instanceof TensorType t && t.dtype() == DataType.FLOAT32;
    }

    /** True if both shapes are known to be the same, symbols included. */
    static boolean sameShape(Value a, Value b) {
        return shape(a).isRanked() && shape(a).equals(shape(b));
    }
}
