package dev.tenon.cuda.internal.elementwise;

import static dev.tenon.cuda.internal.elementwise.ChainCase.input;
import static dev.tenon.cuda.internal.elementwise.ChainCase.step;

import dev.tenon.DataType;
import dev.tenon.internal.op.BinaryFn;
import dev.tenon.internal.op.ChainFn;
import dev.tenon.internal.op.CompareFn;
import dev.tenon.internal.op.ElementwiseChain;
import dev.tenon.internal.op.ElementwiseChain.Step;
import dev.tenon.internal.op.UnaryFn;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Chains of usual networks, whose generated kernels are in kernels/cuda/elementwise: to be read, and to be run on GPUs that
 * have no Java beside them.
 *
 * @param small shapes of the inputs for checks
 * @param large shapes for timing, in which the inputs broadcast alike
 */
record Example(ElementwiseChain chain, List<DataType> types, long[][] small, long[][] large) {
    private static final DataType F32 = DataType.FLOAT32;
    private static final DataType F16 = DataType.FLOAT16;
    private static final DataType BF16 = DataType.BFLOAT16;

    ElementwiseKernel kernel(long[][] shapes) {
        return ElementwiseKernel.of(
                chain,
                LongStream.range(0, types.size())
                        .mapToObj(i -> input(types.get((int) i), shapes[(int) i]))
                        .toList());
    }

    private static long[][] shapes(long[]... all) {
        return all;
    }

    private static long[] shape(long... dims) {
        return dims;
    }

    /** By file name. */
    static Map<String, Example> all() {
        Map<String, Example> all = new LinkedHashMap<>();
        // Dense inputs: no index arithmetic.
        all.put(
                "add_relu_f32",
                new Example(
                        new ElementwiseChain(2, List.of(step(BinaryFn.ADD, F32, 0, 1), step(UnaryFn.RELU, F32, 2))),
                        List.of(F32, F32),
                        shapes(shape(3, 4099), shape(3, 4099)),
                        shapes(shape(64, 1 << 20), shape(64, 1 << 20))));
        // The feed-forward part of a transformer: bias along the rows.
        all.put(
                "bias_gelu_bf16",
                new Example(
                        new ElementwiseChain(
                                2, List.of(step(BinaryFn.ADD, BF16, 0, 1), step(UnaryFn.GELU_ERF, BF16, 2))),
                        List.of(BF16, BF16),
                        shapes(shape(37, 136), shape(136)),
                        shapes(shape(32768, 4096), shape(4096))));
        // A convolution's epilogue: one scale and bias for a channel's plane.
        all.put(
                "channel_scale_silu_f16",
                new Example(
                        new ElementwiseChain(
                                3,
                                List.of(
                                        step(BinaryFn.MUL, F16, 0, 1),
                                        step(BinaryFn.ADD, F16, 3, 2),
                                        new Step(UnaryFn.SILU, F16, List.of(4), 1, 0))),
                        List.of(F16, F16, F16),
                        shapes(shape(2, 5, 7, 16), shape(5, 1, 1), shape(5, 1, 1)),
                        shapes(shape(64, 256, 64, 64), shape(256, 1, 1), shape(256, 1, 1))));
        // A padding mask over scores whose rows are no multiple of a vector.
        all.put(
                "masked_scores_f32",
                new Example(
                        new ElementwiseChain(
                                4, List.of(step(BinaryFn.MUL, F32, 1, 2), step(ChainFn.WHERE, F32, 0, 4, 3))),
                        List.of(DataType.BOOL, F32, F32, F32),
                        shapes(shape(2, 1, 1, 37), shape(2, 3, 37, 37), shape(), shape()),
                        shapes(shape(64, 1, 1, 197), shape(64, 12, 197, 197), shape(), shape())));
        // Weights of one byte to fp16, with a scale for each row.
        all.put(
                "dequantize_i8_f16",
                new Example(
                        new ElementwiseChain(2, List.of(step(ChainFn.CAST, F16, 0), step(BinaryFn.MUL, F16, 2, 1))),
                        List.of(DataType.INT8, F16),
                        shapes(shape(11, 64), shape(11, 1)),
                        shapes(shape(16384, 8192), shape(16384, 1))));
        // Positions against lengths: integers in, booleans out.
        all.put(
                "less_i64",
                new Example(
                        new ElementwiseChain(2, List.of(step(CompareFn.LESS, DataType.BOOL, 0, 1))),
                        List.of(DataType.INT64, DataType.INT64),
                        shapes(shape(1, 80), shape(9, 1)),
                        shapes(shape(1, 65536), shape(4096, 1))));
        return all;
    }
}
