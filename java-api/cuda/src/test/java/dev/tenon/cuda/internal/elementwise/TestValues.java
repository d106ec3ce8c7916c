package dev.tenon.cuda.internal.elementwise;

import dev.tenon.DataType;
import dev.tenon.Tensor;
import java.util.Random;

/** Values that functions are tested with. */
final class TestValues {
    private static final double[] FLOATS = {
        Double.NaN,
        Double.POSITIVE_INFINITY,
        Double.NEGATIVE_INFINITY,
        0.0,
        -0.0,
        1,
        -1,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        1e-30,
        -1e-7,
        6e4,
        -6e4,
        88,
        -88,
        3e38
    };
    private static final long[] INTEGERS = {
        0,
        1,
        -1,
        2,
        -2,
        7,
        -7,
        63,
        64,
        127,
        -128,
        255,
        32767,
        -32768,
        65535,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        0xFFFFFFFFL,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    private TestValues() {}

    /** Special values and random ones of all magnitudes. */
    static void any(int input, Tensor t, Random random) {
        fill(t, random, 10);
    }

    /** Special values in one of {@code rarity} elements. */
    static void fill(Tensor t, Random random, int rarity) {
        for (long i = 0; i < t.size(); i++) {
            boolean special = random.nextInt(rarity) == 0;
            if (t.type() == DataType.BOOL) {
                t.setBoolean(i, random.nextBoolean());
            } else if (t.type().isFloat()) {
                double v = random.nextGaussian() * Math.scalb(1.0, random.nextInt(-6, 5));
                t.setDouble(i, special ? FLOATS[random.nextInt(FLOATS.length)] : v);
            } else {
                long v = random.nextLong() >> random.nextInt(64);
                t.setLong(i, special ? INTEGERS[random.nextInt(INTEGERS.length)] : v);
            }
        }
    }

    /** Numbers just beside the middle between two of {@code narrow}: rounded to fp32 first they would lie in the middle. */
    static ChainCase.Values midpoints(DataType narrow) {
        int mantissa = narrow == DataType.FLOAT16 ? 10 : 7;
        return (input, t, random) -> {
            for (long i = 0; i < t.size(); i++) {
                double middle = 1 + Math.scalb(2.0 * random.nextInt(1 << mantissa) + 1, -mantissa - 1);
                double beside = middle + Math.scalb(random.nextBoolean() ? 1.0 : -1.0, -40);
                if (t.type().isFloat()) {
                    t.setDouble(i, random.nextBoolean() ? beside : -beside);
                } else {
                    t.setLong(i, (long) Math.scalb(beside, 45));
                }
            }
        };
    }

    /** Finite floats in [low, high] in the first input; anything in others. */
    static ChainCase.Values between(double low, double high) {
        return (input, t, random) -> {
            for (long i = 0; i < t.size(); i++) {
                t.setDouble(i, low + (high - low) * random.nextDouble());
            }
        };
    }

    /** Bases of both signs and exponents with results of all magnitudes; integers and what becomes one stay small. */
    static ChainCase.Values powers(DataType result) {
        return (input, t, random) -> powers(input, t, random, !result.isFloat());
    }

    private static void powers(int input, Tensor t, Random random, boolean small) {
        for (long i = 0; i < t.size(); i++) {
            if (t.type().isFloat() && small) {
                t.setDouble(i, random.nextInt(0, 5));
            } else if (t.type().isFloat()) {
                boolean whole = random.nextBoolean();
                double v = input == 0 ? Math.exp(random.nextGaussian()) : random.nextGaussian() * 4;
                v = random.nextInt(4) == 0 ? -v : v;
                t.setDouble(i, whole ? Math.rint(v * 2) : v);
            } else {
                t.setLong(i, random.nextInt(t.type().isUnsigned() ? 0 : -9, 12));
            }
        }
    }
}
