package dev.tenon.internal.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;

/** One zeroed struct (or the first of a row of them) in native memory, with checked access by C field name. */
public final class NativeStruct {
    private final StructShape shape;
    private final MemorySegment segment;

    private NativeStruct(StructShape shape, MemorySegment segment) {
        this.shape = shape;
        this.segment = segment;
    }

    /** Allocates {@code shape} from {@code allocator}, zeroed, with its {@code struct_size} set where it has one. */
    public static NativeStruct allocate(SegmentAllocator allocator, StructShape shape) {
        return of(shape, allocator.allocate(shape.layout()).fill((byte) 0));
    }

    /** As {@link #allocate(SegmentAllocator, StructShape)}; states the usual kind of allocator. */
    public static NativeStruct allocate(Arena arena, StructShape shape) {
        return allocate((SegmentAllocator) arena, shape);
    }

    /** Element {@code index} of a row of structs, such as the buffers a program reports. */
    public static NativeStruct at(StructShape shape, MemorySegment row, long index) {
        return new NativeStruct(shape, row.asSlice(index * shape.byteSize(), shape.byteSize()));
    }

    private static NativeStruct of(StructShape shape, MemorySegment segment) {
        if (shape.hasStructSize()) {
            segment.set(ValueLayout.JAVA_LONG, shape.longOffset("struct_size", 0), shape.byteSize());
        }
        return new NativeStruct(shape, segment);
    }

    public MemorySegment segment() {
        return segment;
    }

    public NativeStruct set(String field, long value) {
        segment.set(ValueLayout.JAVA_LONG, shape.longOffset(field, 0), value);
        return this;
    }

    public NativeStruct set(String field, double value) {
        segment.set(ValueLayout.JAVA_DOUBLE, shape.doubleOffset(field), value);
        return this;
    }

    public NativeStruct set(String field, MemorySegment address) {
        segment.set(ValueLayout.ADDRESS, shape.addressOffset(field, 0), address);
        return this;
    }

    /** Writes the leading elements of an array field; the others keep their value. */
    public NativeStruct set(String field, long... values) {
        for (int i = 0; i < values.length; i++) {
            segment.set(ValueLayout.JAVA_LONG, shape.longOffset(field, i), values[i]);
        }
        return this;
    }

    /** Writes element {@code index} of an array of addresses. */
    public NativeStruct setElement(String field, int index, MemorySegment address) {
        segment.set(ValueLayout.ADDRESS, shape.addressOffset(field, index), address);
        return this;
    }

    public long getLong(String field) {
        return segment.get(ValueLayout.JAVA_LONG, shape.longOffset(field, 0));
    }

    /** A zero-length segment at the address the field holds. */
    public MemorySegment getAddress(String field) {
        return segment.get(ValueLayout.ADDRESS, shape.addressOffset(field, 0));
    }
}
