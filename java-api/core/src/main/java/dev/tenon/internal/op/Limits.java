package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Shape;
import dev.tenon.ShapeException;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;

/**
 * Bounds what one operator may ask for. A file of a hundred bytes can describe an output of terabytes (Expand, Tile, Range,
 * ConstantOfShape ...); such an output is refused with its size before any memory is taken.
 */
final class Limits {
    /** Bytes of the largest output, from system property {@code tenon.maxTensorBytes}. */
    private static final long MAX_BYTES = Long.getLong("tenon.maxTensorBytes", defaultBytes());

    /** Bytes that a text element takes at least: a reference and the string it points to. */
    private static final long TEXT_BYTES = 32;

    private Limits() {}

    /** Half of the machine's (or container's) memory: the JVM sizes its heap to a quarter. */
    private static long defaultBytes() {
        return Math.max(1L << 30, 2 * Math.min(Runtime.getRuntime().maxMemory(), Long.MAX_VALUE / 4));
    }

    /** A zeroed output. @throws ShapeException naming the node if the shape is not legal or too large */
    static Tensor allocate(Evaluation in, DataType type, long... dims) {
        return allocate(in, type, shape(in, dims));
    }

    /** A zeroed output. @throws ShapeException naming the node if it is too large */
    static Tensor allocate(Evaluation in, DataType type, Shape shape) {
        check(in, type, shape.elements());
        return in.allocate(type, shape);
    }

    /** @throws ShapeException naming the node if {@code elements} of {@code type} are more than one output may have */
    static void check(Evaluation in, DataType type, long elements) {
        long most = type == DataType.STRING ? MAX_BYTES / TEXT_BYTES : MAX_BYTES / Math.max(1, type.bits()) * 8;
        in.require(
                elements <= most,
                "the output would have " + elements + " elements of " + type + "; the limit is " + most
                        + " (system property tenon.maxTensorBytes)");
    }

    /** The shape. @throws ShapeException naming the node if it is not legal */
    static Shape shape(Evaluation in, long... dims) {
        try {
            return Shape.of(dims);
        } catch (ShapeException e) {
            throw in.error(String.valueOf(e.getMessage()));
        }
    }

    /** The element count as an array length. @throws ShapeException naming the node if there are more */
    static int arrayLength(Evaluation in, long n) {
        in.require(n <= Integer.MAX_VALUE - 8, n + " elements are more than the reference implementation handles");
        return (int) n;
    }
}
