package dev.tenon.internal.op;

import dev.tenon.Shape;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.SymbolicShape;

/**
 * Which scale belongs to which element of a quantised tensor: one for all, one for each index along an axis, or one for each
 * block of {@code blockSize} along it.
 */
record QuantizedGrid(long inner, long axisSize, long blockSize, long blocks) {
    /** @param blockSize 0 for none */
    static QuantizedGrid of(Evaluation in, Shape x, Shape scale, long axis, long blockSize) {
        if (scale.elements() == 1 && blockSize == 0) {
            return new QuantizedGrid(1, 1, 1, 1);
        }
        int a = in.axis(axis, x.rank());
        long size = x.dim(a);
        long inner = x.product(a + 1, x.rank());
        if (blockSize == 0) {
            in.require(
                    scale.rank() == 1 && scale.dim(0) == size,
                    "the scale has shape " + scale + "; expected one for each of " + size + " along axis " + a);
            return new QuantizedGrid(inner, size, 1, size);
        }
        long blocks = (size + blockSize - 1) / blockSize;
        long[] expected = x.dims();
        expected[a] = blocks;
        in.require(
                scale.equals(Shape.of(expected)),
                "the scale has shape " + scale + "; expected " + Shape.of(expected) + " for blocks of " + blockSize);
        return new QuantizedGrid(inner, size, blockSize, blocks);
    }

    /** The same checks as far as shapes are known. */
    static void check(Inference in, SymbolicShape x, SymbolicShape scale, long axis, long blockSize) {
        in.require(blockSize >= 0, "the block size is " + blockSize);
        if (!x.isRanked()
                || !scale.isRanked()
                || scale.rank() == 0
                || scale.rank() == 1 && scale.dim(0).is(1)) {
            return;
        }
        int a = in.axis(axis, x.rank());
        if (blockSize == 0) {
            in.require(scale.rank() == 1, "the scale has shape " + scale + "; expected a scalar or vector");
            in.require(
                    scale.size(0) < 0 || x.size(a) < 0 || scale.size(0) == x.size(a),
                    "the scale has shape " + scale + " but axis " + a + " of x has " + x.size(a) + " elements");
            return;
        }
        in.require(scale.rank() == x.rank(), "a scale of blocks has the rank of x, not shape " + scale);
        for (int i = 0; i < x.rank(); i++) {
            long expected = i == a && x.size(i) >= 0 ? (x.size(i) - 1 + blockSize) / blockSize : x.size(i);
            in.require(
                    x.size(i) < 0 || scale.size(i) < 0 || scale.size(i) == expected,
                    "the scale has shape " + scale + ", which does not fit x of shape " + x);
        }
    }

    int at(long element) {
        if (blocks == 1 && inner == 1 && axisSize == 1) {
            return 0;
        }
        long outer = element / inner / axisSize;
        long block = element / inner % axisSize / blockSize;
        return (int) (blockSize == 1 ? block : (outer * blocks + block) * inner + element % inner);
    }
}
