package dev.tenon.internal.ir;

/** All that generic passes may know of an operator. */
public enum OpTrait {
    /** Each output element depends on the elements at the same (broadcast) index of the inputs only. */
    ELEMENTWISE,
    /** Folds one or more axes into one value or normalises along them. */
    REDUCTION,
    /** Sums products over an axis: matrix products, convolutions. */
    CONTRACTION,
    /** Moves elements without changing them. */
    DATA_MOVEMENT,
    /** Runs subgraphs. */
    CONTROL_FLOW,
    /** Anything else. */
    OPAQUE
}
