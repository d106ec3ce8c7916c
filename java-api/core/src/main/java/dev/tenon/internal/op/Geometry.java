package dev.tenon.internal.op;

import dev.tenon.Shape;

/**
 * A window resolved against concrete sizes; every array has one entry for each spatial axis.
 *
 * @param out output sizes
 */
public record Geometry(long[] kernel, long[] strides, long[] padBegin, long[] padEnd, long[] dilations, long[] out) {
    public int rank() {
        return kernel.length;
    }

    /** What one output position of a pool sees. */
    interface Taps {
        /**
         * @param out the flat output position
         * @param taps flat input positions, the first {@code n} are valid
         * @param padded how many positions of the window lie in the input or its padding
         */
        void visit(int out, int[] taps, int n, long padded);
    }

    /** Visits every output position with the input positions under its window. */
    void forEachOutput(long[] input, Taps visitor) {
        int rank = rank();
        int outputs = Math.toIntExact(Shape.of(out).elements());
        long largest = 1;
        for (int i = 0; i < rank; i++) {
            largest *= Math.min(kernel[i], Math.max(1, input[i]));
        }
        int[] taps = new int[Math.toIntExact(largest)];
        int[] next = new int[taps.length];
        long[] index = new long[rank];
        for (int o = 0; o < outputs; o++) {
            long rest = o;
            for (int a = rank - 1; a >= 0; a--) {
                index[a] = rest % out[a];
                rest /= out[a];
            }
            int n = 1;
            taps[0] = 0;
            long padded = 1;
            for (int a = 0; a < rank; a++) {
                long start = index[a] * strides[a] - padBegin[a];
                long first = start >= 0 ? 0 : (-start + dilations[a] - 1) / dilations[a];
                long last =
                        input[a] - 1 - start < 0 ? -1 : Math.min(kernel[a] - 1, (input[a] - 1 - start) / dilations[a]);
                long lastPadded = Math.min(kernel[a] - 1, (input[a] + padEnd[a] - 1 - start) / dilations[a]);
                padded *= Math.max(0, lastPadded + 1);
                int m = 0;
                for (int t = 0; t < n; t++) {
                    for (long k = first; k <= last; k++) {
                        next[m++] = (int) (taps[t] * input[a] + start + k * dilations[a]);
                    }
                }
                n = m;
                int[] swap = taps;
                taps = next;
                next = swap;
            }
            visitor.visit(o, taps, n, padded);
        }
    }

    /** Adds {@code weight * x} for one kernel position to all outputs of one plane. */
    interface Row {
        /** Output elements {@code out + i} for i in [0, n) meet input elements {@code in + i * step}. */
        void visit(int in, int step, int out, int n);
    }

    /** Visits, as rows along the last axis, every pair of input and output positions that meet at one kernel position. */
    void forEachRow(long[] input, long[] kernelIndex, Row row) {
        rows(0, input, kernelIndex, 0, 0, row);
    }

    private void rows(int axis, long[] input, long[] kernelIndex, long inBase, long outBase, Row row) {
        long shift = kernelIndex[axis] * dilations[axis] - padBegin[axis];
        long s = strides[axis];
        long low = shift >= 0 ? 0 : (-shift + s - 1) / s;
        long room = input[axis] - 1 - shift;
        long high = room < 0 ? -1 : Math.min(out[axis] - 1, room / s);
        if (high < low) {
            return;
        }
        if (axis == rank() - 1) {
            row.visit((int) (inBase * input[axis] + low * s + shift), (int) s, (int) (outBase * out[axis] + low), (int)
                    (high - low + 1));
            return;
        }
        for (long o = low; o <= high; o++) {
            rows(axis + 1, input, kernelIndex, inBase * input[axis] + o * s + shift, outBase * out[axis] + o, row);
        }
    }

    /** The next index in row-major order; false after the last. */
    static boolean advance(long[] index, long[] dims) {
        for (int a = index.length - 1; a >= 0; a--) {
            if (++index[a] < dims[a]) {
                return true;
            }
            index[a] = 0;
        }
        return false;
    }
}
