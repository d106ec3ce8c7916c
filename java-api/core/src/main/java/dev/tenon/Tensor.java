package dev.tenon;

import dev.tenon.internal.memory.LeakGuard;
import dev.tenon.internal.memory.MemoryScope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A dense row-major tensor: element type, shape and off-heap memory. Text elements alone live on the heap.
 *
 * <p>A tensor made by {@link #allocate} owns its memory and is freed by {@link #close}; one made by {@link #of(MemorySegment,
 * DataType, Shape)} is a view of the caller's memory; those handed out by a session live as long as the session. Use after
 * the memory is gone throws {@link IllegalStateException}; it never reads freed memory. A run keeps bound tensors that own
 * their memory from being closed; the memory of a bound view must not end while a run uses it, which is the caller's part.
 * Reads may run concurrently; writes need the caller's own ordering.
 */
public final class Tensor implements Datum, AutoCloseable {
    private final DataType type;
    private final Shape shape;
    private final MemorySegment segment;
    private final String @Nullable [] text;
    private final @Nullable MemoryScope scope;
    private final @Nullable LeakGuard owner;

    private Tensor(
            DataType type, Shape shape, MemorySegment segment, String @Nullable [] text, @Nullable MemoryScope owner) {
        this.type = type;
        this.shape = shape;
        this.segment = segment;
        this.text = text;
        this.scope = owner;
        this.owner = owner == null ? null : LeakGuard.watch(this, describe(type, shape), owner::closeIfOpen, false);
    }

    /** A zeroed tensor with memory of its own (elements of a text tensor are empty strings). Close it after use. */
    public static Tensor allocate(DataType type, Shape shape) {
        if (type == DataType.STRING) {
            return ofStrings(filledText(shape), shape);
        }
        MemoryScope scope = MemoryScope.shared("tensor");
        try {
            return new Tensor(type, shape, scope.allocate(type.byteSize(shape.elements())), null, scope);
        } catch (RuntimeException | Error e) {
            scope.close();
            throw e;
        }
    }

    /** A zeroed tensor whose memory belongs to {@code scope}; for Tenon's own modules, which alone can name the scope. */
    @SuppressWarnings("exports")
    public static Tensor allocate(MemoryScope scope, DataType type, Shape shape) {
        if (type == DataType.STRING) {
            return ofStrings(filledText(shape), shape);
        }
        return new Tensor(type, shape, scope.allocate(type.byteSize(shape.elements())), null, null);
    }

    private static String[] filledText(Shape shape) {
        String[] text = new String[Math.toIntExact(shape.elements())];
        Arrays.fill(text, "");
        return text;
    }

    /**
     * A view of memory that the caller owns and keeps alive while the tensor is in use. No copy is made.
     *
     * @throws ShapeException if the segment is smaller than the tensor
     */
    public static Tensor of(MemorySegment segment, DataType type, Shape shape) {
        long bytes = type.byteSize(shape.elements());
        if (type == DataType.STRING) {
            throw new ShapeException("text tensors have no segment; use Tensor.ofStrings");
        }
        if (segment.byteSize() < bytes) {
            throw new ShapeException("a " + type + " tensor of shape " + shape + " needs " + bytes
                    + " bytes; the segment has " + segment.byteSize());
        }
        return new Tensor(type, shape, segment.asSlice(0, bytes), null, null);
    }

    /**
     * Stands for a weight of which only the packed form is kept: it has a type and a shape, and no elements to read.
     */
    @SuppressWarnings("exports")
    public static Tensor ofPacked(DataType type, Shape shape) {
        return new Tensor(type, shape, MemorySegment.NULL, null, null);
    }

    /** True if the elements are not here, but packed on the device. */
    public boolean isPacked() {
        return text == null && segment.equals(MemorySegment.NULL);
    }

    /** A copy of {@code values} as FLOAT32. */
    public static Tensor of(float[] values, long... shape) {
        Tensor t = allocateFor(DataType.FLOAT32, values.length, shape);
        t.copyFrom(values);
        return t;
    }

    /** A copy of {@code values} as INT64. */
    public static Tensor of(long[] values, long... shape) {
        Tensor t = allocateFor(DataType.INT64, values.length, shape);
        t.copyFrom(values);
        return t;
    }

    /** A copy of {@code values} as INT32. */
    public static Tensor of(int[] values, long... shape) {
        Tensor t = allocateFor(DataType.INT32, values.length, shape);
        t.copyFrom(values);
        return t;
    }

    /** A copy of {@code values} as FLOAT64. */
    public static Tensor of(double[] values, long... shape) {
        Tensor t = allocateFor(DataType.FLOAT64, values.length, shape);
        t.copyFrom(values);
        return t;
    }

    /** A text tensor; the array is copied. */
    public static Tensor ofStrings(String[] values, long... shape) {
        return ofStrings(values, Shape.of(shape));
    }

    private static Tensor ofStrings(String[] values, Shape shape) {
        if (values.length != shape.elements()) {
            throw new ShapeException(values.length + " strings do not fill shape " + shape);
        }
        return new Tensor(DataType.STRING, shape, MemorySegment.NULL, values.clone(), null);
    }

    private static Tensor allocateFor(DataType type, long length, long[] dims) {
        Shape shape = Shape.of(dims);
        if (shape.elements() != length) {
            throw new ShapeException(
                    length + " values do not fill shape " + shape + " of " + shape.elements() + " elements");
        }
        return allocate(type, shape);
    }

    public DataType type() {
        return type;
    }

    public Shape shape() {
        return shape;
    }

    /** The number of elements. */
    public long size() {
        return shape.elements();
    }

    /** The bytes of all elements; 0 for text. */
    public long byteSize() {
        return segment.byteSize();
    }

    /** The memory of all elements, row-major, in the native byte order. @throws IllegalStateException for text tensors */
    public MemorySegment segment() {
        if (text != null) {
            throw new IllegalStateException("text tensors have no native memory; read them with getString");
        }
        return segment;
    }

    /**
     * Keeps the memory in place during a native run, which knows addresses only.
     *
     * @return false if the memory is gone, or belongs to another thread
     */
    boolean pin() {
        if (scope != null) {
            return scope.pin();
        }
        return text != null || (segment.scope().isAlive() && segment.isAccessibleBy(Thread.currentThread()));
    }

    /** Ends one {@link #pin}. */
    void unpin() {
        if (scope != null) {
            scope.unpin();
        }
    }

    /** The same memory under another shape with as many elements. The view does not own the memory. */
    public Tensor reshaped(Shape newShape) {
        if (newShape.elements() != shape.elements()) {
            throw new ShapeException("cannot view " + shape + " as " + newShape + ": element counts differ");
        }
        return new Tensor(type, newShape, segment, text, null);
    }

    // ---- bulk access ----

    /** Replaces all elements; converts to this tensor's type. @throws ShapeException if the length differs */
    public void copyFrom(float[] values) {
        checkLength(values.length);
        if (type == DataType.FLOAT32) {
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                setDouble(i, values[i]);
            }
        }
    }

    /** Replaces all elements; converts to this tensor's type. @throws ShapeException if the length differs */
    public void copyFrom(double[] values) {
        checkLength(values.length);
        if (type == DataType.FLOAT64) {
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_DOUBLE_UNALIGNED, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                setDouble(i, values[i]);
            }
        }
    }

    /** Replaces all elements; converts to this tensor's type. @throws ShapeException if the length differs */
    public void copyFrom(long[] values) {
        checkLength(values.length);
        if (type == DataType.INT64) {
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_LONG_UNALIGNED, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                setLong(i, values[i]);
            }
        }
    }

    /** Replaces all elements; converts to this tensor's type. @throws ShapeException if the length differs */
    public void copyFrom(int[] values) {
        checkLength(values.length);
        if (type == DataType.INT32) {
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_INT, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                setLong(i, values[i]);
            }
        }
    }

    /** Replaces all elements of a type with 8 bits an element by these bytes. @throws ShapeException if the length differs */
    public void copyFrom(byte[] values) {
        checkLength(values.length);
        if (type.bits() == 8) {
            MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_BYTE, 0, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                setLong(i, values[i]);
            }
        }
    }

    /** Replaces all elements by those of a tensor with the same type and element count. */
    public void copyFrom(Tensor other) {
        if (other.type != type || other.size() != size()) {
            throw new ShapeException("cannot copy " + other + " into " + this + ": type or element count differs");
        }
        if (text != null) {
            System.arraycopy(other.text, 0, text, 0, text.length);
        } else {
            MemorySegment.copy(other.segment, 0, segment, 0, segment.byteSize());
        }
    }

    private void checkLength(long n) {
        if (n != size()) {
            throw new ShapeException(n + " values given for " + this + ", which has " + size() + " elements");
        }
    }

    /** All elements converted to float. @throws ShapeException if there are more than an array can hold */
    public float[] toFloatArray() {
        if (type == DataType.FLOAT32) {
            return segment.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
        }
        float[] out = new float[arrayLength()];
        for (int i = 0; i < out.length; i++) {
            out[i] = (float) getDouble(i);
        }
        return out;
    }

    /** All elements converted to double. */
    public double[] toDoubleArray() {
        if (type == DataType.FLOAT64) {
            return segment.toArray(ValueLayout.JAVA_DOUBLE_UNALIGNED);
        }
        double[] out = new double[arrayLength()];
        for (int i = 0; i < out.length; i++) {
            out[i] = getDouble(i);
        }
        return out;
    }

    /** All elements converted to long; fractions are cut off. */
    public long[] toLongArray() {
        if (type == DataType.INT64) {
            return segment.toArray(ValueLayout.JAVA_LONG_UNALIGNED);
        }
        long[] out = new long[arrayLength()];
        for (int i = 0; i < out.length; i++) {
            out[i] = getLong(i);
        }
        return out;
    }

    /** All elements converted to int. @throws ArithmeticException if one does not fit */
    public int[] toIntArray() {
        int[] out = new int[arrayLength()];
        for (int i = 0; i < out.length; i++) {
            out[i] = Math.toIntExact(getLong(i));
        }
        return out;
    }

    /** A copy of the elements of a text tensor. */
    public String[] toStringArray() {
        return textElements().clone();
    }

    private int arrayLength() {
        if (size() > Integer.MAX_VALUE - 8) {
            throw new ShapeException(this + " has more elements than a Java array holds; read its segment");
        }
        return (int) size();
    }

    // ---- element access, by flat row-major index ----

    /** The element as a double; 64-bit integers lose bits beyond 2^53. */
    public double getDouble(long i) {
        return Elements.getDouble(type, segment, i);
    }

    /**
     * Stores {@code v} rounded to this type: floats to nearest even, BOOL {@code v != 0}. Integers are cut, and NaN gives 0;
     * out of range INT64 and UINT64 take their nearest number, and the others the low bits of that INT64.
     */
    public void setDouble(long i, double v) {
        Elements.setDouble(type, segment, i, v);
    }

    /** The element as a long: exact for integers (UINT64 as its bits), cut off for floats, 0 or 1 for BOOL. */
    public long getLong(long i) {
        return Elements.getLong(type, segment, i);
    }

    /** Stores {@code v}: integers keep the low bits, floats round, BOOL {@code v != 0}. */
    public void setLong(long i, long v) {
        Elements.setLong(type, segment, i, v);
    }

    public float getFloat(long i) {
        return (float) getDouble(i);
    }

    public boolean getBoolean(long i) {
        return getLong(i) != 0;
    }

    public void setBoolean(long i, boolean v) {
        setLong(i, v ? 1 : 0);
    }

    public String getString(long i) {
        return textElements()[Math.toIntExact(i)];
    }

    public void setString(long i, String v) {
        textElements()[Math.toIntExact(i)] = v;
    }

    /** Copies one element as it is from a tensor of the same type. */
    public void setFrom(long i, Tensor source, long j) {
        if (text != null) {
            text[Math.toIntExact(i)] = source.getString(j);
            return;
        }
        int bits = type.bits();
        if (bits < 8) {
            setLong(i, 0);
            Elements.setBits(type, segment, i, Elements.getBits(type, source.segment, j));
        } else {
            long n = bits / 8;
            MemorySegment.copy(source.segment, j * n, segment, i * n, n);
        }
    }

    private String[] textElements() {
        if (text == null) {
            throw new IllegalStateException(this + " is not a text tensor");
        }
        return text;
    }

    /** Frees the memory of a tensor made by {@link #allocate} or from an array; does nothing for views. May be called twice. */
    @Override
    public void close() {
        if (owner != null) {
            scope.closeIfOpen();
            owner.close();
        }
    }

    private static String describe(DataType type, Shape shape) {
        return "tensor " + type + "[" + shape + "]";
    }

    @Override
    public String toString() {
        return type + "[" + shape + "]";
    }
}
