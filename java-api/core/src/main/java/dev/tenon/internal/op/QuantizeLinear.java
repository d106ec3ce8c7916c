package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;
import java.util.Optional;

/**
 * Quantisation:  y = saturate(round(x / scale) + zero).
 * Inputs   x: FLOAT32, FLOAT16, BFLOAT16 or INT32; scale: a scalar, a vector along {@code axis}, or one for each block; zero:
 *          as scale, of y's type, or absent.
 * Output   y: zero's type, else {@code outputType}, else UINT8; x's shape.
 * Rules    the scale fits x; zero has scale's shape.
 * Numerics divides in float32, rounds half to even; a quotient that is NaN, which ONNX leaves open, gives integers zero; float8
 *          saturates only if {@code saturate}.
 * Source   ONNX QuantizeLinear-25.
 *
 * @param blockSize 0 for no blocks
 */
public record QuantizeLinear(long axis, boolean saturate, long blockSize, Optional<DataType> outputType) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("QuantizeLinear", QuantizeLinear::read));

    private static QuantizeLinear read(OnnxNode n) {
        long block = n.integer("block_size", 0);
        if (block < 0) {
            throw n.error("block_size is " + block);
        }
        return new QuantizeLinear(n.integer("axis", 1), n.flag("saturate", true), block, outputType(n));
    }

    static Optional<DataType> outputType(OnnxNode n) {
        return n.integer("output_dtype", 0) == 0
                ? Optional.empty()
                : Optional.of(n.dtype("output_dtype", DataType.UINT8));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType type = in.has(2) ? in.dtype(2) : outputType.orElse(DataType.UINT8);
        in.require(
                outputType.isEmpty() || outputType.get() == type,
                "the zero point has element type " + type + " but output_dtype is " + outputType.orElse(type));
        in.require(in.dtype(0).isFloat() || in.dtype(0).isInteger(), "cannot quantise " + in.dtype(0));
        in.require(in.dtype(1).isFloat() || in.dtype(1).isInteger(), "the scale has element type " + in.dtype(1));
        in.require(type.isInteger() || type.isFloat(), "cannot quantise to " + type);
        QuantizedGrid.check(in, in.shape(0), in.shape(1), axis, blockSize);
        return List.of(new TensorType(type, in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        DataType type = in.has(2) ? in.tensor(2).type() : outputType.orElse(DataType.UINT8);
        Tensor y = Limits.allocate(in, type, x.shape());
        QuantizedGrid grid = QuantizedGrid.of(in, x.shape(), in.tensor(1).shape(), axis, blockSize);
        float[] scale = in.tensor(1).toFloatArray();
        double[] zero = in.has(2) ? in.tensor(2).toDoubleArray() : new double[scale.length];
        in.require(zero.length == scale.length, "there are " + zero.length + " zero points for " + scale.length);
        boolean eightBitFloat = type.isFloat() && type.bits() == 8;
        Conversion conversion = new Conversion(type, saturate, Cast.Rounding.UP);
        for (long i = 0, n = x.size(); i < n; i++) {
            int g = grid.at(i);
            float v = x.getFloat(i) / scale[g];
            if (eightBitFloat) {
                conversion.store(y, i, v + zero[g]);
            } else if (type.isInteger()) {
                Quantized.store(y, i, v, zero[g]);
            } else {
                y.setDouble(i, v + zero[g]);
            }
        }
        return List.of(y);
    }
}
