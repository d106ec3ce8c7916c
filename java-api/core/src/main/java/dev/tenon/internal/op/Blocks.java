package dev.tenon.internal.op;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import java.lang.foreign.MemorySegment;

/**
 * Moves runs of elements between tensors and Java arrays: one decision on the type a run instead of one an element. Floats
 * travel as doubles, integers and booleans as longs (UINT64 as its bits).
 */
final class Blocks {
    /** Elements that elementwise loops handle at a time: a few arrays of this size stay in the first-level cache. */
    static final int SIZE = 512;

    private Blocks() {}

    static void load(Tensor t, long from, double[] to, int at, int n) {
        switch (t.type()) {
            case FLOAT32 -> {
                MemorySegment s = t.segment();
                for (int i = 0; i < n; i++) {
                    to[at + i] = s.getAtIndex(JAVA_FLOAT_UNALIGNED, from + i);
                }
            }
            case FLOAT64 -> MemorySegment.copy(t.segment(), JAVA_DOUBLE_UNALIGNED, from * 8, to, at, n);
            default -> {
                for (int i = 0; i < n; i++) {
                    to[at + i] = t.getDouble(from + i);
                }
            }
        }
    }

    static void load(Tensor t, long from, long[] to, int at, int n) {
        switch (t.type()) {
            case INT64, UINT64 -> MemorySegment.copy(t.segment(), JAVA_LONG_UNALIGNED, from * 8, to, at, n);
            case INT32 -> {
                MemorySegment s = t.segment();
                for (int i = 0; i < n; i++) {
                    to[at + i] = s.getAtIndex(JAVA_INT_UNALIGNED, from + i);
                }
            }
            default -> {
                for (int i = 0; i < n; i++) {
                    to[at + i] = t.getLong(from + i);
                }
            }
        }
    }

    static void store(Tensor t, long from, double[] values, int at, int n) {
        switch (t.type()) {
            case FLOAT32 -> {
                MemorySegment s = t.segment();
                for (int i = 0; i < n; i++) {
                    s.setAtIndex(JAVA_FLOAT_UNALIGNED, from + i, (float) values[at + i]);
                }
            }
            case FLOAT64 -> MemorySegment.copy(values, at, t.segment(), JAVA_DOUBLE_UNALIGNED, from * 8, n);
            default -> {
                for (int i = 0; i < n; i++) {
                    t.setDouble(from + i, values[at + i]);
                }
            }
        }
    }

    static void store(Tensor t, long from, long[] values, int at, int n) {
        switch (t.type()) {
            case INT64, UINT64 -> MemorySegment.copy(values, at, t.segment(), JAVA_LONG_UNALIGNED, from * 8, n);
            case INT32, UINT32 -> {
                MemorySegment s = t.segment();
                for (int i = 0; i < n; i++) {
                    s.setAtIndex(JAVA_INT_UNALIGNED, from + i, (int) values[at + i]);
                }
            }
            case BOOL -> {
                MemorySegment s = t.segment();
                for (int i = 0; i < n; i++) {
                    s.set(JAVA_BYTE, from + i, (byte) (values[at + i] != 0 ? 1 : 0));
                }
            }
            default -> {
                for (int i = 0; i < n; i++) {
                    t.setLong(from + i, values[at + i]);
                }
            }
        }
    }

    /** All elements. @throws dev.tenon.ShapeException if an array cannot hold them */
    static double[] doubles(Evaluation in, Tensor t) {
        double[] v = new double[Limits.arrayLength(in, t.size())];
        load(t, 0, v, 0, v.length);
        return v;
    }

    /** All elements. @throws dev.tenon.ShapeException if an array cannot hold them */
    static long[] longs(Evaluation in, Tensor t) {
        long[] v = new long[Limits.arrayLength(in, t.size())];
        load(t, 0, v, 0, v.length);
        return v;
    }

    /** True for types whose elements travel as longs. */
    static boolean asLongs(DataType type) {
        return type.isInteger() || type == DataType.BOOL;
    }

    /** {@code v} as an element of the integer or boolean type {@code type} would hold it. */
    static long wrap(DataType type, long v) {
        if (type == DataType.BOOL) {
            return v != 0 ? 1 : 0;
        }
        int unused = 64 - type.bits();
        return type.isUnsigned() ? v << unused >>> unused : v << unused >> unused;
    }
}
