package dev.tenon.internal.onnx;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.tenon.ModelFormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Walks the fields of one protobuf message in place. Every length is checked against what is left of the enclosing message,
 * and nesting and counts against the limits, before anything is read or allocated. Errors name the field path and the byte
 * offset in the file.
 *
 * <pre>{@code
 * while (r.next()) {
 *     switch (r.field()) {
 *         case 1 -> version = r.int64("ir_version");
 *         default -> r.skip();
 *     }
 * }
 * }</pre>
 */
final class WireReader {
    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED32 = 5;

    private static final ValueLayout.OfInt INT_LE = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What is left of the limits, shared by all readers of one file. */
    static final class Budget {
        private final ImportLimits limits;
        private long messages;
        private long textBytes;
        private long numbers;

        Budget(ImportLimits limits) {
            this.limits = limits;
            this.messages = limits.messages();
            this.textBytes = limits.textBytes();
            this.numbers = limits.numbers();
        }
    }

    private final MemorySegment file;
    private final Budget budget;
    private final @Nullable WireReader parent;
    private final String name;
    private final int depth;
    private final long start;
    private final long end;
    private long pos;
    private int field;
    private int wireType;

    private WireReader(
            MemorySegment file,
            Budget budget,
            @Nullable WireReader parent,
            String name,
            int depth,
            long start,
            long end) {
        this.file = file;
        this.budget = budget;
        this.parent = parent;
        this.name = name;
        this.depth = depth;
        this.start = start;
        this.end = end;
        this.pos = start;
    }

    /** A reader of the message that the whole segment holds. @param name how errors name the file */
    static WireReader of(MemorySegment file, String name, ImportLimits limits) {
        return new WireReader(file, new Budget(limits), null, name, 0, 0, file.byteSize());
    }

    /** A reader of the same message from its beginning. */
    WireReader rewound() {
        return new WireReader(file, budget, parent, name, depth, start, end);
    }

    /** Moves to the next field; false at the end of the message. The caller then reads or skips the field's value. */
    boolean next() {
        if (pos == end) {
            return false;
        }
        long tag = varint("tag");
        long number = tag >>> 3;
        wireType = (int) (tag & 7);
        if (number < 1 || number > 0x1FFF_FFFF) {
            throw error("field number " + Long.toUnsignedString(number) + " is not valid");
        }
        field = (int) number;
        return true;
    }

    /** The number of the field that {@link #next} found. */
    int field() {
        return field;
    }

    void skip() {
        switch (wireType) {
            case VARINT -> varint("field " + field);
            case FIXED64 -> advance(8, "field " + field);
            case LENGTH -> advance(length("field " + field), "field " + field);
            case FIXED32 -> advance(4, "field " + field);
            default -> throw error("field " + field + " has wire type " + wireType + ", which ONNX does not use");
        }
    }

    long int64(String what) {
        expect(VARINT, what);
        return varint(what);
    }

    float float32(String what) {
        expect(FIXED32, what);
        return Float.intBitsToFloat(file.get(INT_LE, advance(4, what)));
    }

    /** The value as a reader of the nested message. */
    WireReader message(String what) {
        expect(LENGTH, what);
        long n = length(what);
        long from = advance(n, what);
        if (depth + 1 > budget.limits.depth()) {
            throw error(what + " is nested " + (depth + 1) + " messages deep; the limit is " + budget.limits.depth());
        }
        takeMessage(what);
        return new WireReader(file, budget, this, what, depth + 1, from, from + n);
    }

    /** As {@link #message(String)}, for element {@code index} of a repeated field. */
    WireReader message(String what, int index) {
        return message(what + "[" + index + "]");
    }

    /** The value in place. */
    MemorySegment bytes(String what) {
        expect(LENGTH, what);
        long n = length(what);
        return file.asSlice(advance(n, what), n);
    }

    /** A text that names something. @throws ModelFormatException if it is not valid UTF-8 */
    String text(String what) {
        takeMessage(what);
        long at = pos;
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(buffer(what))
                    .toString();
        } catch (CharacterCodingException e) {
            throw errorAt(at, what + " is not valid UTF-8");
        }
    }

    /** A text for people; what is not valid UTF-8 is replaced. */
    String note(String what) {
        takeMessage(what);
        return StandardCharsets.UTF_8.decode(buffer(what)).toString();
    }

    private ByteBuffer buffer(String what) {
        MemorySegment s = bytes(what);
        budget.textBytes -= s.byteSize();
        if (budget.textBytes < 0) {
            throw error(what + ": the file has more than " + budget.limits.textBytes() + " bytes of text");
        }
        return s.asByteBuffer();
    }

    /** Adds the value of a repeated integer field, packed or not. */
    void int64s(String what, Numbers.Longs out) {
        if (wireType == LENGTH) {
            WireReader packed = packed(what);
            while (packed.pos < packed.end) {
                takeNumber(what);
                out.add(packed.varint(what));
            }
        } else {
            takeNumber(what);
            out.add(int64(what));
        }
    }

    /** Adds the value of a repeated float field, packed or not. */
    void float32s(String what, Numbers.Floats out) {
        if (wireType == LENGTH) {
            WireReader packed = packed(what);
            while (packed.pos < packed.end) {
                takeNumber(what);
                out.add(Float.intBitsToFloat(file.get(INT_LE, packed.advance(4, what))));
            }
        } else {
            takeNumber(what);
            out.add(float32(what));
        }
    }

    /** Counts the numbers of a repeated integer field, packed or not, without keeping them. */
    long countVarints(String what) {
        if (wireType != LENGTH) {
            int64(what);
            return 1;
        }
        WireReader packed = packed(what);
        long n = 0;
        for (long i = packed.start; i < packed.end; i++) {
            n += file.get(JAVA_BYTE, i) >= 0 ? 1 : 0;
        }
        if (packed.start < packed.end && file.get(JAVA_BYTE, packed.end - 1) < 0) {
            throw error(what + " ends within a number");
        }
        return n;
    }

    /** Gives each number of a repeated integer field, packed or not, to {@code sink}. */
    void forEachVarint(String what, java.util.function.LongConsumer sink) {
        if (wireType != LENGTH) {
            sink.accept(int64(what));
            return;
        }
        WireReader packed = packed(what);
        while (packed.pos < packed.end) {
            sink.accept(packed.varint(what));
        }
    }

    /** A repeated field of fixed-size numbers in place: packed, or a single one. */
    MemorySegment fixed(String what, int size) {
        if (wireType == (size == 4 ? FIXED32 : FIXED64)) {
            return file.asSlice(advance(size, what), size);
        }
        MemorySegment s = bytes(what);
        if (s.byteSize() % size != 0) {
            throw error(what + " has " + s.byteSize() + " bytes, which is no multiple of " + size);
        }
        return s;
    }

    private WireReader packed(String what) {
        expect(LENGTH, what);
        long n = length(what);
        long from = advance(n, what);
        return new WireReader(file, budget, this, what, depth, from, from + n);
    }

    private void expect(int type, String what) {
        if (wireType != type) {
            throw error(what + " has wire type " + wireType + "; expected " + type);
        }
    }

    private long length(String what) {
        long n = varint(what);
        if (n < 0 || n > end - pos) {
            throw error(what + " has length " + Long.toUnsignedString(n) + ", but " + (end - pos) + " bytes are left");
        }
        return n;
    }

    /** Steps over {@code n} bytes and returns where they begin. */
    private long advance(long n, String what) {
        if (n > end - pos) {
            throw error(what + " needs " + n + " bytes, but " + (end - pos) + " are left");
        }
        long from = pos;
        pos += n;
        return from;
    }

    private long varint(String what) {
        long value = 0;
        long from = pos;
        for (int shift = 0; shift < 64; shift += 7) {
            if (pos == end) {
                throw errorAt(from, what + " is cut off");
            }
            byte b = file.get(JAVA_BYTE, pos++);
            if (shift == 63 && (b & 0xFE) != 0) {
                throw errorAt(from, what + " is a number of more than 64 bits");
            }
            value |= (long) (b & 0x7F) << shift;
            if (b >= 0) {
                return value;
            }
        }
        throw errorAt(from, what + " is a number of more than ten bytes");
    }

    private void takeMessage(String what) {
        if (--budget.messages < 0) {
            throw error(what + ": the file has more than " + budget.limits.messages() + " messages and texts");
        }
    }

    private void takeNumber(String what) {
        if (--budget.numbers < 0) {
            throw error(what + ": the file has more than " + budget.limits.numbers() + " numbers in attributes");
        }
    }

    /** The field path from the file to this message: {@code model.onnx: graph.node[3].attribute[0]}. */
    String path() {
        if (parent == null) {
            return name;
        }
        return parent.path() + (parent.parent == null ? ": " : ".") + name;
    }

    /** An exception that names this message and where in the file it begins. */
    ModelFormatException errorHere(String message) {
        return errorAt(start, message);
    }

    private ModelFormatException error(String message) {
        return errorAt(pos, message);
    }

    private ModelFormatException errorAt(long offset, String message) {
        return new ModelFormatException(path() + " (byte " + offset + "): " + message);
    }
}
