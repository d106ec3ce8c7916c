package dev.tenon.cuda.internal.elementwise;

import dev.tenon.DataType;
import dev.tenon.Shape;

/** Type and shape of a chain's input, which is dense and row-major. */
public record ChainInput(DataType type, Shape shape) {}
