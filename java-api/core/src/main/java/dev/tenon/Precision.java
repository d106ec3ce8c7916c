package dev.tenon;

/** How an engine multiplies. Inputs, outputs and weights keep the model's types. */
public enum Precision {
    /** 32-bit floating point throughout. */
    FP32,
    /** Matrix products and convolutions may round their operands to bfloat16; sums stay in 32 bits. */
    BF16
}
