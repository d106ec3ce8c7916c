package dev.tenon.internal.onnx;

/**
 * What a model file may ask for at most. The defaults are far above real models and keep a hostile file within about a
 * gigabyte of heap.
 *
 * @param depth nested messages, and nested calls of model-local functions
 * @param messages messages and texts in one file
 * @param textBytes bytes of all names, documentation and text elements in one file
 * @param numbers numbers in attributes in one file
 * @param nodes nodes after functions are inlined
 * @param denseBytes bytes of all sparse tensors once dense
 */
public record ImportLimits(int depth, long messages, long textBytes, long numbers, int nodes, long denseBytes) {
    public static final ImportLimits DEFAULT =
            new ImportLimits(100, 4_000_000, 1L << 28, 16_000_000, 1_000_000, 1L << 30);

    public ImportLimits {
        if (textBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("textBytes is " + textBytes + "; a text has less than 2^31 bytes");
        }
    }
}
