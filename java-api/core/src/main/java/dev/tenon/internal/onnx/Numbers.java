package dev.tenon.internal.onnx;

import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;

/** Growing arrays of numbers, read as lists. */
final class Numbers {
    private Numbers() {}

    static final class Longs {
        private long[] values = {};
        private int size;

        void add(long v) {
            if (size == values.length) {
                values = Arrays.copyOf(values, Math.max(8, size + (size >> 1)));
            }
            values[size++] = v;
        }

        int size() {
            return size;
        }

        long[] toArray() {
            return Arrays.copyOf(values, size);
        }
    }

    static final class Floats {
        private float[] values = {};
        private int size;

        void add(float v) {
            if (size == values.length) {
                values = Arrays.copyOf(values, Math.max(8, size + (size >> 1)));
            }
            values[size++] = v;
        }

        int size() {
            return size;
        }

        float[] toArray() {
            return Arrays.copyOf(values, size);
        }
    }

    static List<Long> list(long[] a) {
        return new AbstractList<>() {
            @Override
            public Long get(int i) {
                return a[i];
            }

            @Override
            public int size() {
                return a.length;
            }
        };
    }

    static List<Float> list(float[] a) {
        return new AbstractList<>() {
            @Override
            public Float get(int i) {
                return a[i];
            }

            @Override
            public int size() {
                return a.length;
            }
        };
    }
}
