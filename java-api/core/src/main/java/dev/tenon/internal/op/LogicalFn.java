package dev.tenon.internal.op;

import java.util.function.LongBinaryOperator;

/** Functions of two booleans. Names are those of the C interface's elementwise functions. */
public enum LogicalFn {
    LOGICAL_AND("And", (a, b) -> a & b),
    LOGICAL_OR("Or", (a, b) -> a | b),
    LOGICAL_XOR("Xor", (a, b) -> a ^ b);

    final String onnxName;

    /** On 0 and 1. */
    final LongBinaryOperator body;

    LogicalFn(String onnxName, LongBinaryOperator body) {
        this.onnxName = onnxName;
        this.body = body;
    }
}
