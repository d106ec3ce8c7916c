package dev.tenon.internal.op;

/** Functions of any number of operands. */
public enum VariadicFn {
    SUM("Sum", BinaryFn.ADD),
    /** The sum over the number of operands. */
    MEAN("Mean", BinaryFn.ADD),
    MIN("Min", BinaryFn.MIN),
    MAX("Max", BinaryFn.MAX);

    final String onnxName;
    final BinaryFn step;

    VariadicFn(String onnxName, BinaryFn step) {
        this.onnxName = onnxName;
        this.step = step;
    }

    /** What joins the result so far with the next input. */
    public BinaryFn step() {
        return step;
    }
}
