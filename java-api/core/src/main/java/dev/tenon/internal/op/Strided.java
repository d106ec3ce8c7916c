package dev.tenon.internal.op;

import dev.tenon.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Copies elements of any type between two regular grids: element (i, j, ...) of the grid goes from {@code sourceAt + i s0 + j
 * s1 ...} to {@code targetAt + i t0 + j t1 ...}. Strides may be zero or negative; all in elements.
 */
final class Strided {
    private Strided() {}

    static void copy(long[] dims, Tensor source, long sourceAt, long[] s, Tensor target, long targetAt, long[] t) {
        for (long d : dims) {
            if (d == 0) {
                return;
            }
        }
        int rank = 0;
        long[] n = new long[Math.max(1, dims.length)];
        long[] ss = new long[n.length];
        long[] ts = new long[n.length];
        n[0] = 1;
        for (int i = 0; i < dims.length; i++) {
            if (dims[i] == 1) {
                continue;
            }
            if (rank > 0 && ss[rank - 1] == s[i] * dims[i] && ts[rank - 1] == t[i] * dims[i]) {
                n[rank - 1] *= dims[i];
            } else {
                n[rank++] = dims[i];
            }
            ss[rank - 1] = s[i];
            ts[rank - 1] = t[i];
        }
        int depth = Math.max(1, rank);
        walk(
                Arrays.copyOf(n, depth),
                source,
                sourceAt,
                Arrays.copyOf(ss, depth),
                target,
                targetAt,
                Arrays.copyOf(ts, depth));
    }

    private static void walk(
            long[] dims, Tensor source, long sourceAt, long[] s, Tensor target, long targetAt, long[] t) {
        int last = dims.length - 1;
        long[] index = new long[dims.length];
        long from = sourceAt;
        long to = targetAt;
        while (true) {
            row(source, from, s[last], target, to, t[last], dims[last]);
            int d = last - 1;
            for (; d >= 0; d--) {
                from += s[d];
                to += t[d];
                if (++index[d] < dims[d]) {
                    break;
                }
                from -= s[d] * dims[d];
                to -= t[d] * dims[d];
                index[d] = 0;
            }
            if (d < 0) {
                return;
            }
        }
    }

    private static void row(Tensor source, long from, long s, Tensor target, long to, long t, long n) {
        int bits = source.type().bits();
        if (bits < 8) {
            for (long i = 0; i < n; i++) {
                target.setFrom(to + i * t, source, from + i * s);
            }
            return;
        }
        MemorySegment a = source.segment();
        MemorySegment b = target.segment();
        long bytes = bits / 8;
        if (n == 1 || (s == 1 && t == 1)) {
            MemorySegment.copy(a, from * bytes, b, to * bytes, n * bytes);
            return;
        }
        switch ((int) bytes) {
            case 1 -> {
                for (long i = 0; i < n; i++) {
                    b.set(ValueLayout.JAVA_BYTE, to + i * t, a.get(ValueLayout.JAVA_BYTE, from + i * s));
                }
            }
            case 2 -> {
                for (long i = 0; i < n; i++) {
                    b.setAtIndex(
                            ValueLayout.JAVA_SHORT_UNALIGNED,
                            to + i * t,
                            a.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, from + i * s));
                }
            }
            case 4 -> {
                for (long i = 0; i < n; i++) {
                    b.setAtIndex(
                            ValueLayout.JAVA_INT_UNALIGNED,
                            to + i * t,
                            a.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, from + i * s));
                }
            }
            case 8 -> {
                for (long i = 0; i < n; i++) {
                    b.setAtIndex(
                            ValueLayout.JAVA_LONG_UNALIGNED,
                            to + i * t,
                            a.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, from + i * s));
                }
            }
            default -> {
                for (long i = 0; i < n; i++) {
                    MemorySegment.copy(a, (from + i * s) * bytes, b, (to + i * t) * bytes, bytes);
                }
            }
        }
    }
}
