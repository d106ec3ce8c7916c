package dev.tenon.cuda.internal.elementwise;

import dev.tenon.ShapeException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A kernel's parameter struct: its fields and their values where C++ puts them. */
final class KernelParams {
    /** What every kernel can be given. */
    private static final int LIMIT_BYTES = 4096;

    private final StringBuilder fields = new StringBuilder();
    private final ByteBuffer block = ByteBuffer.allocate(LIMIT_BYTES).order(ByteOrder.nativeOrder());
    private int end;

    /** @return the field's offset in bytes, as of all fields below */
    int int64(String name, long value, String comment) {
        int at = add("int64_t " + name, 8, 8, comment);
        block.putLong(at, value);
        return at;
    }

    /** @param type such as {@code const float*} */
    int pointer(String type, String name, String comment) {
        return add(type + " " + name, 8, 8, comment);
    }

    int float32(String name, float value) {
        int at = add("float " + name, 4, 4, "");
        block.putFloat(at, value);
        return at;
    }

    /** A struct of numbers of {@code bytes} bytes each. */
    int numbers(String type, String name, int bytes, long... values) {
        int at = add(type + " " + name, bytes * values.length, bytes, "");
        for (int i = 0; i < values.length; i++) {
            if (bytes == Integer.BYTES) {
                block.putInt(at + i * bytes, (int) values[i]);
            } else {
                block.putLong(at + i * bytes, values[i]);
            }
        }
        return at;
    }

    private int add(String declaration, int bytes, int alignment, String comment) {
        int at = Math.ceilDiv(end, alignment) * alignment;
        end = at + bytes;
        if (end > LIMIT_BYTES) {
            throw new ShapeException(
                    "the inputs of an elementwise chain broadcast in too many ways: its kernel would need"
                            + " more than " + LIMIT_BYTES + " bytes of parameters");
        }
        fields.append("    ").append(declaration).append(";");
        fields.append(comment.isEmpty() ? "" : "  // " + comment).append("\n");
        return at;
    }

    /** A copy of the struct's bytes. It has pointers, so its size is a multiple of theirs. */
    ByteBuffer bytes() {
        byte[] copy = Arrays.copyOf(block.array(), size());
        return ByteBuffer.wrap(copy).order(ByteOrder.nativeOrder());
    }

    private int size() {
        return Math.ceilDiv(end, Long.BYTES) * Long.BYTES;
    }

    String declaration() {
        return "struct Params {\n" + fields + "};\nstatic_assert(sizeof(Params) == " + size() + ");\n";
    }
}
