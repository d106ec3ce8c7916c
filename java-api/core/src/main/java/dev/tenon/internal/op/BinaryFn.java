package dev.tenon.internal.op;

import dev.tenon.DataType;
import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic on two numbers; the result has the first operand's type. Names are those of the C interface's elementwise
 * functions. Integers wrap; dividing one by zero gives 0, as there is no other value to give.
 */
public enum BinaryFn {
    ADD("Add", (a, b) -> a + b, (a, b) -> a + b),
    SUB("Sub", (a, b) -> a - b, (a, b) -> a - b),
    MUL("Mul", (a, b) -> a * b, (a, b) -> a * b),
    /** Integers divide towards zero. */
    DIV("Div", (a, b) -> a / b, (a, b) -> b == 0 ? 0 : a / b, (a, b) -> b == 0 ? 0 : Long.divideUnsigned(a, b)),
    /** The remainder with the sign of the divisor. */
    MOD(
            null,
            BinaryFn::floorMod,
            (a, b) -> b == 0 ? 0 : Math.floorMod(a, b),
            (a, b) -> b == 0 ? 0 : Long.remainderUnsigned(a, b)),
    /** The remainder with the sign of the dividend. */
    FMOD(null, (a, b) -> a % b, (a, b) -> b == 0 ? 0 : a % b, (a, b) -> b == 0 ? 0 : Long.remainderUnsigned(a, b)),
    /** NaN if an operand is NaN. */
    MIN(null, Math::min, Math::min, (a, b) -> Long.compareUnsigned(a, b) < 0 ? a : b),
    /** NaN if an operand is NaN. */
    MAX(null, Math::max, Math::max, (a, b) -> Long.compareUnsigned(a, b) > 0 ? a : b),
    /** The exponent may have another type than the base. Negative powers of integers truncate. */
    POW("Pow", Math::pow, BinaryFn::power),
    /** b a for negative a, else a. */
    PRELU("PRelu", (a, b) -> a < 0 ? b * a : a, (a, b) -> a < 0 ? b * a : a, (a, b) -> a),
    BIT_AND("BitwiseAnd", null, (a, b) -> a & b),
    BIT_OR("BitwiseOr", null, (a, b) -> a | b),
    BIT_XOR("BitwiseXor", null, (a, b) -> a ^ b),
    /** A shift by the width or more gives 0. */
    SHIFT_LEFT(null, null, (a, b) -> b < 0 || b > 63 ? 0 : a << b),
    /** Fills with zeros (unsigned) or the sign. */
    SHIFT_RIGHT(null, null, (a, b) -> a >> (b < 0 || b > 63 ? 63 : b), (a, b) -> b < 0 || b > 63 ? 0 : a >>> b);

    final @Nullable String onnxName;
    final @Nullable DoubleBinaryOperator onDoubles;
    final LongBinaryOperator onLongs;
    final LongBinaryOperator onUnsigned;

    BinaryFn(@Nullable String onnxName, @Nullable DoubleBinaryOperator onDoubles, LongBinaryOperator onLongs) {
        this(onnxName, onDoubles, onLongs, onLongs);
    }

    /** @param onnxName null for a function that has its own import rule */
    BinaryFn(
            @Nullable String onnxName,
            @Nullable DoubleBinaryOperator onDoubles,
            LongBinaryOperator onLongs,
            LongBinaryOperator onUnsigned) {
        this.onnxName = onnxName;
        this.onDoubles = onDoubles;
        this.onLongs = onLongs;
        this.onUnsigned = onUnsigned;
    }

    /** True if the function is defined on elements of {@code type}. */
    public boolean accepts(DataType type) {
        return type.isInteger() || (onDoubles != null && type.isFloat());
    }

    /** The function for integers of {@code type}. */
    LongBinaryOperator onIntegers(DataType type) {
        return type.isUnsigned() ? onUnsigned : onLongs;
    }

    private static double floorMod(double a, double b) {
        double r = a % b;
        return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }

    private static long power(long base, long exponent) {
        if (exponent < 0) {
            return base == 1 ? 1 : base == -1 ? ((exponent & 1) == 0 ? 1 : -1) : 0;
        }
        long result = 1;
        long square = base;
        for (long e = exponent; e > 0; e >>= 1) {
            if ((e & 1) != 0) {
                result *= square;
            }
            square *= square;
        }
        return result;
    }
}
