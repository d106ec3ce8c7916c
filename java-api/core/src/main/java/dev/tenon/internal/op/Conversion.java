package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.SmallFloat;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import java.lang.foreign.ValueLayout;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;

/**
 * Conversion between element types. To a float: nearest, ties to even; out of range gives infinity (float8: the largest
 * number if {@code saturate}, else infinity or NaN; E8M0 rounds by {@code rounding}). Float to integer cuts the fraction; out
 * of range saturates for INT32, INT64 and UINT64, becomes an INT64 (UINT32) or INT32 on the way to the others, which keep its
 * low bits; NaN, which ONNX leaves open as it does all that is out of range, gives 0. Integer to integer keeps the low bits.
 * To BOOL: whether it is not zero. Text is read and written as decimal numbers, infinities as INF and -INF; to an integer,
 * digits alone convert as an integer does, all else as a float.
 */
record Conversion(DataType to, boolean saturate, Cast.Rounding rounding) {
    private static final double SCIENTIFIC_FROM = 1e16;
    private static final double SCIENTIFIC_BELOW = 1e-4;

    /** The conversion of Cast with default attributes. */
    static Conversion nearest(DataType to) {
        return new Conversion(to, true, Cast.Rounding.UP);
    }

    static void require(Inference in, DataType from, DataType to) {
        in.require(
                from == to || (!from.isComplex() && !to.isComplex()),
                "conversion from " + from + " to " + to + " is not supported");
    }

    /** All elements of {@code x} converted; {@code x} itself if it has the type already. */
    Tensor apply(Evaluation in, Tensor x) {
        if (x.type() == to) {
            return x;
        }
        Tensor y = Limits.allocate(in, to, x.shape());
        if (x.type() == DataType.STRING) {
            for (long i = 0; i < x.size(); i++) {
                parse(in, x.getString(i), y, i);
            }
        } else if (to == DataType.STRING) {
            for (long i = 0; i < x.size(); i++) {
                y.setString(i, format(x, i));
            }
        } else if (Blocks.asLongs(x.type()) && Blocks.asLongs(to)) {
            Elementwise.longs(y, List.of(x), (v, out, n) -> System.arraycopy(v[0], 0, out, 0, n));
        } else if (to == DataType.FLOAT32 || to == DataType.FLOAT64) {
            Elementwise.doubles(y, List.of(x), (v, out, n) -> System.arraycopy(v[0], 0, out, 0, n));
        } else {
            double[] block = new double[Blocks.SIZE];
            for (long i = 0; i < x.size(); i += block.length) {
                int n = (int) Math.min(block.length, x.size() - i);
                Blocks.load(x, i, block, 0, n);
                for (int k = 0; k < n; k++) {
                    store(y, i + k, block[k]);
                }
            }
        }
        return y;
    }

    /** The bits of a UINT64: negative numbers and NaN give 0, numbers from 2^64 on the largest. */
    static long toUnsigned(double v) {
        if (v >= 0x1p63) {
            return v >= 0x1p64 ? -1L : (long) (v - 0x1p63) + Long.MIN_VALUE;
        }
        return (long) Math.max(v, 0);
    }

    /** Stores {@code v} as element {@code i} of {@code y}, which has type {@code to}. */
    void store(Tensor y, long i, double v) {
        switch (to) {
            case INT64 -> y.setLong(i, (long) v);
            case INT32, INT16, UINT16, INT8, UINT8, INT4, UINT4, INT2, UINT2 -> y.setLong(i, (int) v);
            case UINT32 -> y.setLong(i, (long) v);
            case FLOAT8E4M3FN, FLOAT8E4M3FNUZ, FLOAT8E5M2, FLOAT8E5M2FNUZ ->
                y.segment()
                        .set(ValueLayout.JAVA_BYTE, i, (byte) SmallFloat.of(to).encode(v, saturate));
            case FLOAT8E8M0 -> y.segment().set(ValueLayout.JAVA_BYTE, i, (byte) powerOfTwo(v));
            default -> y.setDouble(i, v);
        }
    }

    /** The code of a power of two at or near {@code v}: the exponent plus 127; 255 is NaN. */
    private int powerOfTwo(double v) {
        SmallFloat format = SmallFloat.of(DataType.FLOAT8E8M0);
        int nan = 0xFF;
        int largest = 0xFE;
        if (Double.isNaN(v)) {
            return nan;
        }
        double a = Math.abs(v);
        if (a > format.decode(largest)) {
            return saturate || (rounding == Cast.Rounding.DOWN && !Double.isInfinite(a)) ? largest : nan;
        }
        if (a <= format.decode(0)) {
            return 0;
        }
        int down = Math.getExponent(a) + 127;
        if (format.decode(down) == a) {
            return down;
        }
        boolean up = switch (rounding) {
            case UP -> true;
            case DOWN -> false;
            case NEAREST -> a - format.decode(down) >= format.decode(down + 1) - a;
        };
        return up ? down + 1 : down;
    }

    private void parse(Evaluation in, String text, Tensor y, long i) {
        String s = text.strip();
        try {
            if (to == DataType.BOOL) {
                y.setLong(i, truth(s));
            } else if (to.isInteger() && s.chars().allMatch(c -> (c >= '0' && c <= '9') || c == '-' || c == '+')) {
                y.setLong(i, new BigInteger(s).longValue());
            } else {
                store(y, i, real(s));
            }
        } catch (NumberFormatException e) {
            throw in.error("cannot read '" + (s.length() > 40 ? s.substring(0, 40) + "..." : s) + "' as " + to);
        }
    }

    private static long truth(String s) {
        return switch (s.toLowerCase(Locale.ROOT)) {
            case "true" -> 1;
            case "false" -> 0;
            default -> real(s) != 0 ? 1 : 0;
        };
    }

    private static double real(String s) {
        return switch (s.toLowerCase(Locale.ROOT)) {
            case "inf", "+inf", "infinity", "+infinity" -> Double.POSITIVE_INFINITY;
            case "-inf", "-infinity" -> Double.NEGATIVE_INFINITY;
            case "nan", "+nan", "-nan" -> Double.NaN;
            default -> Double.parseDouble(s);
        };
    }

    private static String format(Tensor x, long i) {
        DataType type = x.type();
        if (type == DataType.BOOL) {
            return x.getBoolean(i) ? "True" : "False";
        }
        if (type.isInteger()) {
            return type == DataType.UINT64 ? Long.toUnsignedString(x.getLong(i)) : Long.toString(x.getLong(i));
        }
        double v = x.getDouble(i);
        if (Double.isNaN(v)) {
            return "NaN";
        }
        if (Double.isInfinite(v)) {
            return v > 0 ? "INF" : "-INF";
        }
        // The shortest digits that tell the number from its neighbours of the same type.
        String shortest = type == DataType.FLOAT64 ? Double.toString(v) : Float.toString((float) v);
        double a = Math.abs(v);
        boolean plain = a == 0 || (a >= SCIENTIFIC_BELOW && a < SCIENTIFIC_FROM);
        if (plain) {
            if (shortest.indexOf('E') < 0) {
                return shortest;
            }
            String digits = new BigDecimal(shortest).toPlainString();
            return digits.indexOf('.') < 0 ? digits + ".0" : digits;
        }
        return scientific(new BigDecimal(shortest).stripTrailingZeros());
    }

    /** d.ddde+XX with at least two digits in the exponent. */
    private static String scientific(BigDecimal d) {
        String digits = d.unscaledValue().abs().toString();
        int exponent = digits.length() - 1 - d.scale();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        String size = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : Integer.toString(Math.abs(exponent));
        return (d.signum() < 0 ? "-" : "") + mantissa + "e" + (exponent < 0 ? "-" : "+") + size;
    }
}
