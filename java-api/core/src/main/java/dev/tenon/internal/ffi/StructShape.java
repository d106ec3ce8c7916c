package dev.tenon.internal.ffi;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A C struct whose fields all have 8 bytes: its layout, and the byte offset of every field by name. Elements of nested
 * structs are named as in {@code post_ops[1].kind}.
 */
public final class StructShape {
    private enum Kind {
        LONG,
        DOUBLE,
        ADDRESS
    }

    /** A field or array of {@code count} words from {@code offset} bytes on. */
    private record Field(long offset, int count, Kind kind) {}

    private final String name;
    private final StructLayout layout;
    private final Map<String, Field> fields;

    private StructShape(String name, StructLayout layout, Map<String, Field> fields) {
        this.name = name;
        this.layout = layout;
        this.fields = fields;
    }

    /** Starts the struct that C calls {@code tenon_<name>}. */
    static Builder struct(String name) {
        return new Builder(name);
    }

    /** The C name without its {@code tenon_} prefix. */
    public String name() {
        return name;
    }

    public StructLayout layout() {
        return layout;
    }

    public long byteSize() {
        return layout.byteSize();
    }

    /** Whether the first field is {@code struct_size}, which {@link NativeStruct} fills in. */
    boolean hasStructSize() {
        return fields.containsKey("struct_size");
    }

    /** Byte offset of element {@code index} of a field of integers. */
    long longOffset(String field, int index) {
        return offset(field, index, Kind.LONG);
    }

    long doubleOffset(String field) {
        return offset(field, 0, Kind.DOUBLE);
    }

    long addressOffset(String field, int index) {
        return offset(field, index, Kind.ADDRESS);
    }

    private long offset(String field, int index, Kind kind) {
        @Nullable Field found = fields.get(field);
        if (found == null || found.kind != kind || index < 0 || index >= found.count) {
            throw new IllegalArgumentException(
                    "struct " + name + " has no " + kind + " field " + field + "[" + index + "]; it has " + fields);
        }
        return found.offset + 8L * index;
    }

    /** Collects the fields in C's order. */
    static final class Builder {
        private final String name;
        private final List<MemoryLayout> members = new ArrayList<>();
        private final Map<String, Field> fields = new LinkedHashMap<>();
        private long bytes;

        private Builder(String name) {
            this.name = name;
        }

        Builder longs(String... names) {
            for (String field : names) {
                add(field, ValueLayout.JAVA_LONG, Kind.LONG, 1);
            }
            return this;
        }

        Builder doubles(String... names) {
            for (String field : names) {
                add(field, ValueLayout.JAVA_DOUBLE, Kind.DOUBLE, 1);
            }
            return this;
        }

        Builder addresses(String... names) {
            for (String field : names) {
                add(field, ValueLayout.ADDRESS, Kind.ADDRESS, 1);
            }
            return this;
        }

        Builder longArray(String field, int count) {
            return add(field, MemoryLayout.sequenceLayout(count, ValueLayout.JAVA_LONG), Kind.LONG, count);
        }

        Builder addressArray(String field, int count) {
            return add(field, MemoryLayout.sequenceLayout(count, ValueLayout.ADDRESS), Kind.ADDRESS, count);
        }

        Builder nested(String field, StructShape element, int count) {
            members.add(MemoryLayout.sequenceLayout(count, element.layout).withName(field));
            for (int i = 0; i < count; i++) {
                String prefix = field + "[" + i + "].";
                long base = bytes + i * element.byteSize();
                element.fields.forEach(
                        (inner, f) -> fields.put(prefix + inner, new Field(base + f.offset, f.count, f.kind)));
            }
            bytes += count * element.byteSize();
            return this;
        }

        private Builder add(String field, MemoryLayout member, Kind kind, int count) {
            members.add(member.withName(field));
            fields.put(field, new Field(bytes, count, kind));
            bytes += 8L * count;
            return this;
        }

        StructShape build() {
            StructLayout layout = MemoryLayout.structLayout(members.toArray(MemoryLayout[]::new))
                    .withName(name);
            return new StructShape(name, layout, Map.copyOf(fields));
        }
    }
}
