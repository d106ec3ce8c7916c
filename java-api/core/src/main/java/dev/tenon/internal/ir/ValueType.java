package dev.tenon.internal.ir;

/** The type of a value in a graph. */
public sealed interface ValueType permits TensorType, SequenceType, OptionalType {}
