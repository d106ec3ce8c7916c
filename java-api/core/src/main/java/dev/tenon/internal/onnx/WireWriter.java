package dev.tenon.internal.onnx;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the fields of a protobuf message. Empty texts are left out, as encoders do. */
final class WireWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    WireWriter int64(int field, long value) {
        varint((long) field << 3);
        varint(value);
        return this;
    }

    WireWriter float32(int field, float value) {
        varint((long) field << 3 | 5);
        out.writeBytes(ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putFloat(value)
                .array());
        return this;
    }

    WireWriter text(int field, String value) {
        return value.isEmpty() ? this : textEvenIfEmpty(field, value);
    }

    WireWriter textEvenIfEmpty(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    WireWriter bytes(int field, byte[] value) {
        header(field, value.length);
        out.writeBytes(value);
        return this;
    }

    WireWriter message(int field, WireWriter message) {
        return bytes(field, message.toByteArray());
    }

    WireWriter packed(int field, long... values) {
        WireWriter w = new WireWriter();
        for (long v : values) {
            w.varint(v);
        }
        return bytes(field, w.toByteArray());
    }

    /** The tag and length of a field whose {@code length} bytes the caller writes next. */
    WireWriter header(int field, long length) {
        varint((long) field << 3 | 2);
        varint(length);
        return this;
    }

    WireWriter varint(long value) {
        long v = value;
        while ((v & ~0x7FL) != 0) {
            out.write((int) (v & 0x7F | 0x80));
            v >>>= 7;
        }
        out.write((int) v);
        return this;
    }

    byte[] toByteArray() {
        return out.toByteArray();
    }
}
