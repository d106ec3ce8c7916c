package dev.tenon.internal.op;

import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/** Arithmetic on two numbers; the result has the operands' type. */
public enum BinaryFn {
    ADD("Add", (a, b) -> a + b, (a, b) -> a + b),
    SUB("Sub", (a, b) -> a - b, (a, b) -> a - b),
    MUL("Mul", (a, b) -> a * b, (a, b) -> a * b),
    /** Integers divide towards zero; division by zero gives 0 for integers, as there is no other value to give. */
    DIV("Div", (a, b) -> a / b, (a, b) -> b == 0 ? 0 : a / b);

    final String onnxName;
    final DoubleBinaryOperator onDoubles;
    final @Nullable LongBinaryOperator onLongs;

    BinaryFn(String onnxName, DoubleBinaryOperator onDoubles, @Nullable LongBinaryOperator onLongs) {
        this.onnxName = onnxName;
        this.onDoubles = onDoubles;
        this.onLongs = onLongs;
    }
}
