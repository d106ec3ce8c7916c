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
 * Dequantisation:  y = (x - zero) scale.
 * Inputs   x: an integer or 8-bit or 4-bit float; scale: a scalar, a vector along {@code axis}, or one for each block; zero: as
 *          scale, of x's type, or absent.
 * Output   y: {@code outputType}, else scale's type; x's shape.
 * Rules    the scale fits x; zero has scale's shape.
 * Source   ONNX DequantizeLinear-25.
 *
 * @param blockSize 0 for no blocks
 */
public record DequantizeLinear(long axis, long blockSize, Optional<DataType> outputType) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("DequantizeLinear", DequantizeLinear::read));

    private static DequantizeLinear read(OnnxNode n) {
        long block = n.integer("block_size", 0);
        if (block < 0) {
            throw n.error("block_size is " + block);
        }
        return new DequantizeLinear(n.integer("axis", 1), block, QuantizeLinear.outputType(n));
    }

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(!in.has(2) || in.dtype(2) == in.dtype(0), "x and the zero point differ in element type");
        in.require(in.dtype(1).isFloat(), "the scale has element type " + in.dtype(1));
        in.require(in.dtype(0).isInteger() || in.dtype(0).isFloat(), "cannot dequantise " + in.dtype(0));
        QuantizedGrid.check(in, in.shape(0), in.shape(1), axis, blockSize);
        return List.of(new TensorType(outputType.orElse(in.dtype(1)), in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor y = Limits.allocate(in, outputType.orElse(in.tensor(1).type()), x.shape());
        QuantizedGrid grid = QuantizedGrid.of(in, x.shape(), in.tensor(1).shape(), axis, blockSize);
        double[] scale = in.tensor(1).toDoubleArray();
        double[] zero = in.has(2) ? in.tensor(2).toDoubleArray() : new double[scale.length];
        in.require(zero.length == scale.length, "there are " + zero.length + " zero points for " + scale.length);
        for (long i = 0, n = x.size(); i < n; i++) {
            int g = grid.at(i);
            y.setDouble(i, (x.getDouble(i) - zero[g]) * scale[g]);
        }
        return List.of(y);
    }
}
