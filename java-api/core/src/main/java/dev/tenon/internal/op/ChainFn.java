package dev.tenon.internal.op;

/** Functions of a chain's steps that are operators of their own elsewhere. Names are those of the C interface. */
public enum ChainFn {
    /** Operand 0 is BOOL: operand 1 where it is true, else operand 2. */
    WHERE(3),
    /** The operand converted to the step's type. */
    CAST(1);

    final int arity;

    ChainFn(int arity) {
        this.arity = arity;
    }
}
