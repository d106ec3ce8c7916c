package dev.tenon;

import java.util.EnumMap;
import java.util.Map;

/**
 * Floating-point formats of at most eight bits, and rounding from double to the 16-bit ones in one step (by way of float
 * the value would be rounded twice). Formats: OCP 8-bit floating point (E4M3FN, E5M2), the FNUZ forms of ONNX's float8
 * page, OCP MX (E8M0, E2M1).
 */
public final class SmallFloat {
    private static final Map<DataType, SmallFloat> FORMATS = new EnumMap<>(DataType.class);

    static {
        put(new SmallFloat(DataType.FLOAT8E4M3FN, 4, 3, 7, false, false));
        put(new SmallFloat(DataType.FLOAT8E4M3FNUZ, 4, 3, 8, false, true));
        put(new SmallFloat(DataType.FLOAT8E5M2, 5, 2, 15, true, false));
        put(new SmallFloat(DataType.FLOAT8E5M2FNUZ, 5, 2, 16, false, true));
        put(new SmallFloat(DataType.FLOAT4E2M1, 2, 1, 1, false, false));
        put(new SmallFloat(DataType.FLOAT8E8M0, 8, 0, 127, false, false));
    }

    private final DataType type;
    private final int mantissaBits;
    private final double[] values;
    private final boolean infinity;
    private final boolean unsignedZero;
    private final int nan;
    private final int maxCode;

    private static void put(SmallFloat f) {
        FORMATS.put(f.type, f);
    }

    private SmallFloat(
            DataType type, int exponentBits, int mantissaBits, int bias, boolean infinity, boolean unsignedZero) {
        this.type = type;
        this.mantissaBits = mantissaBits;
        this.infinity = infinity;
        this.unsignedZero = unsignedZero;
        boolean signed = type != DataType.FLOAT8E8M0;
        int magnitudes = 1 << (exponentBits + mantissaBits);
        this.values = new double[1 << type.bits()];
        for (int m = 0; m < magnitudes; m++) {
            int e = m >> mantissaBits;
            int f = m & ((1 << mantissaBits) - 1);
            double v = e == 0 && signed
                    ? Math.scalb((double) f, 1 - bias - mantissaBits)
                    : Math.scalb((double) ((1 << mantissaBits) + f), e - bias - mantissaBits);
            values[m] = v;
            if (signed) {
                values[m + magnitudes] = -v;
            }
        }
        switch (type) {
            case FLOAT8E4M3FN -> {
                nan = 0x7F;
                values[0x7F] = values[0xFF] = Double.NaN;
                maxCode = 0x7E;
            }
            case FLOAT8E5M2 -> {
                nan = 0x7F;
                values[0x7C] = Double.POSITIVE_INFINITY;
                values[0xFC] = Double.NEGATIVE_INFINITY;
                for (int i = 0x7D; i <= 0x7F; i++) {
                    values[i] = values[i + 0x80] = Double.NaN;
                }
                maxCode = 0x7B;
            }
            case FLOAT8E4M3FNUZ, FLOAT8E5M2FNUZ -> {
                nan = 0x80;
                values[0x80] = Double.NaN;
                maxCode = 0x7F;
            }
            case FLOAT8E8M0 -> {
                nan = 0xFF;
                values[0xFF] = Double.NaN;
                maxCode = 0xFE;
            }
            default -> {
                nan = 0;
                maxCode = magnitudes - 1;
            }
        }
    }

    /** The format of {@code type}. @throws IllegalArgumentException if it is not a floating-point type of at most 8 bits */
    public static SmallFloat of(DataType type) {
        SmallFloat f = FORMATS.get(type);
        if (f == null) {
            throw new IllegalArgumentException(type + " is not a floating-point type of at most 8 bits");
        }
        return f;
    }

    public double decode(int bits) {
        return values[bits];
    }

    /**
     * The nearest value's bits, ties to even mantissa. Out of range: with {@code saturate} the largest finite value,
     * otherwise infinity where the format has it, else NaN. FLOAT4E2M1 and FLOAT8E8M0 always saturate.
     */
    public int encode(double v, boolean saturate) {
        if (Double.isNaN(v)) {
            return nan;
        }
        if (type == DataType.FLOAT8E8M0) {
            return encodePowerOfTwo(v);
        }
        int signBit = values.length / 2;
        boolean negative = Double.doubleToRawLongBits(v) < 0;
        int sign = negative ? signBit : 0;
        double a = Math.abs(v);
        int code;
        double max = values[maxCode];
        double half = (max - values[maxCode - 1]) / 2;
        boolean evenMax = (maxCode & 1) == 0;
        if (a > max && (a > max + half || (a == max + half && !evenMax) || Double.isInfinite(a))) {
            if (saturate || type == DataType.FLOAT4E2M1) {
                return sign | maxCode;
            }
            return infinity ? sign | 0x7C : nan == 0x80 ? 0x80 : sign | nan;
        }
        if (a >= max) {
            return sign | maxCode;
        }
        int low = 0;
        int high = maxCode;
        while (low < high) {
            int mid = (low + high + 1) >>> 1;
            if (values[mid] <= a) {
                low = mid;
            } else {
                high = mid - 1;
            }
        }
        code = low;
        double down = a - values[low];
        double up = values[low + 1] - a;
        if (up < down || (up == down && (low & 1) == 1)) {
            code = low + 1;
        }
        return code == 0 && unsignedZero ? 0 : sign | code;
    }

    private int encodePowerOfTwo(double v) {
        if (v < 0) {
            return nan;
        }
        if (v <= values[0]) {
            return 0;
        }
        if (v >= values[maxCode]) {
            return maxCode;
        }
        int e = Math.getExponent(v);
        int code = e + 127;
        return v - values[code] >= values[code + 1] - v ? code + 1 : code;
    }

    /** Bits of mantissa that the format stores. */
    public int mantissaBits() {
        return mantissaBits;
    }

    static short toFloat16(double v) {
        return Float.floatToFloat16(roundToOdd(v));
    }

    static short toBfloat16(double v) {
        if (Double.isNaN(v)) {
            return 0x7FC0;
        }
        int bits = Float.floatToRawIntBits(roundToOdd(v));
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    /** Double to float with the last bit set when inexact, so that a second rounding to fewer bits is right. */
    private static float roundToOdd(double v) {
        float f = (float) v;
        if (f == v || Double.isNaN(v) || Float.isInfinite(f)) {
            return f;
        }
        int bits = Float.floatToRawIntBits(f);
        if ((bits & 1) != 0) {
            return f;
        }
        boolean roundedAway = Math.abs((double) f) > Math.abs(v);
        return Float.intBitsToFloat(roundedAway ? bits - 1 : bits + 1);
    }
}
