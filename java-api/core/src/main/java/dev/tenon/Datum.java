package dev.tenon;

/** What flows along an edge of a model: a tensor, a sequence, or an optional value. */
public sealed interface Datum permits Tensor, TensorSequence, OptionalDatum {}
