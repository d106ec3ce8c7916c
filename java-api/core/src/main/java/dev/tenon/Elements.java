package dev.tenon;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Reads and writes single elements of every numeric type. */
final class Elements {
    private Elements() {}

    static double getDouble(DataType type, MemorySegment s, long i) {
        return switch (type) {
            case FLOAT32 -> s.getAtIndex(JAVA_FLOAT_UNALIGNED, i);
            case FLOAT64 -> s.getAtIndex(JAVA_DOUBLE_UNALIGNED, i);
            case FLOAT16 -> Float.float16ToFloat(s.getAtIndex(JAVA_SHORT_UNALIGNED, i));
            case BFLOAT16 -> Float.intBitsToFloat(s.getAtIndex(JAVA_SHORT_UNALIGNED, i) << 16);
            case FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ, FLOAT8E8M0, FLOAT4E2M1 ->
                SmallFloat.of(type).decode((int) getBits(type, s, i));
            case UINT64 -> {
                long v = s.getAtIndex(JAVA_LONG_UNALIGNED, i);
                yield v >= 0 ? v : ((v >>> 1) | (v & 1)) * 2.0;
            }
            default -> getLong(type, s, i);
        };
    }

    static void setDouble(DataType type, MemorySegment s, long i, double v) {
        switch (type) {
            case FLOAT32 -> s.setAtIndex(JAVA_FLOAT_UNALIGNED, i, (float) v);
            case FLOAT64 -> s.setAtIndex(JAVA_DOUBLE_UNALIGNED, i, v);
            case FLOAT16 -> s.setAtIndex(JAVA_SHORT_UNALIGNED, i, SmallFloat.toFloat16(v));
            case BFLOAT16 -> s.setAtIndex(JAVA_SHORT_UNALIGNED, i, SmallFloat.toBfloat16(v));
            case FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ, FLOAT8E8M0, FLOAT4E2M1 ->
                setBits(type, s, i, SmallFloat.of(type).encode(v, true));
            case BOOL -> s.set(JAVA_BYTE, i, (byte) (v != 0 ? 1 : 0));
            case UINT64 -> s.setAtIndex(JAVA_LONG_UNALIGNED, i, doubleToUnsigned(v));
            default -> setLong(type, s, i, (long) v);
        }
    }

    private static long doubleToUnsigned(double v) {
        if (v >= 0x1p63) {
            return v >= 0x1p64 ? -1L : (long) (v - 0x1p63) + Long.MIN_VALUE;
        }
        return (long) Math.max(v, 0);
    }

    static long getLong(DataType type, MemorySegment s, long i) {
        return switch (type) {
            case INT64, UINT64 -> s.getAtIndex(JAVA_LONG_UNALIGNED, i);
            case INT32 -> s.getAtIndex(JAVA_INT_UNALIGNED, i);
            case UINT32 -> s.getAtIndex(JAVA_INT_UNALIGNED, i) & 0xFFFF_FFFFL;
            case INT16 -> s.getAtIndex(JAVA_SHORT_UNALIGNED, i);
            case UINT16 -> s.getAtIndex(JAVA_SHORT_UNALIGNED, i) & 0xFFFFL;
            case INT8 -> s.get(JAVA_BYTE, i);
            case UINT8 -> s.get(JAVA_BYTE, i) & 0xFFL;
            case BOOL -> s.get(JAVA_BYTE, i) != 0 ? 1 : 0;
            case UINT4, UINT2 -> getBits(type, s, i);
            case INT4, INT2 -> {
                int unused = 64 - type.bits();
                yield getBits(type, s, i) << unused >> unused;
            }
            case STRING, COMPLEX64, COMPLEX128 -> throw notNumeric(type);
            default -> (long) getDouble(type, s, i);
        };
    }

    static void setLong(DataType type, MemorySegment s, long i, long v) {
        switch (type) {
            case INT64, UINT64 -> s.setAtIndex(JAVA_LONG_UNALIGNED, i, v);
            case INT32, UINT32 -> s.setAtIndex(JAVA_INT_UNALIGNED, i, (int) v);
            case INT16, UINT16 -> s.setAtIndex(JAVA_SHORT_UNALIGNED, i, (short) v);
            case INT8, UINT8 -> s.set(JAVA_BYTE, i, (byte) v);
            case BOOL -> s.set(JAVA_BYTE, i, (byte) (v != 0 ? 1 : 0));
            case UINT4, INT4, UINT2, INT2 -> setBits(type, s, i, v);
            case STRING, COMPLEX64, COMPLEX128 -> throw notNumeric(type);
            default -> setDouble(type, s, i, v);
        }
    }

    /** The raw bits of an element of at most eight bits. */
    static long getBits(DataType type, MemorySegment s, long i) {
        int bits = type.bits();
        if (bits == 8) {
            return s.get(JAVA_BYTE, i) & 0xFF;
        }
        int perByte = 8 / bits;
        return (s.get(JAVA_BYTE, i / perByte) >>> (i % perByte * bits)) & ((1 << bits) - 1);
    }

    /** Stores the raw bits of an element of at most eight bits; neighbours in the same byte stay. */
    static void setBits(DataType type, MemorySegment s, long i, long v) {
        int bits = type.bits();
        if (bits == 8) {
            s.set(JAVA_BYTE, i, (byte) v);
            return;
        }
        int perByte = 8 / bits;
        int shift = (int) (i % perByte * bits);
        int mask = ((1 << bits) - 1) << shift;
        byte old = s.get(JAVA_BYTE, i / perByte);
        s.set(JAVA_BYTE, i / perByte, (byte) ((old & ~mask) | ((int) (v << shift) & mask)));
    }

    private static IllegalStateException notNumeric(DataType type) {
        return new IllegalStateException("elements of type " + type + " are not single numbers");
    }
}
