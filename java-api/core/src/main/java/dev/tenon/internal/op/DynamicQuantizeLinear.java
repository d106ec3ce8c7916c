package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * Quantisation to UINT8 with a range taken from the data, zero included.
 * Inputs   x: FLOAT32.    Outputs y: UINT8, x's shape; scale: FLOAT32 scalar; zero point: UINT8 scalar.
 * Numerics scale = (max - min) / 255 (1 if the range is empty); zero = saturate(round(-min / scale)).
 * Source   ONNX DynamicQuantizeLinear-11.
 */
public record DynamicQuantizeLinear() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("DynamicQuantizeLinear", n -> new DynamicQuantizeLinear()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(0, DataType.FLOAT32);
        return List.of(
                new TensorType(DataType.UINT8, in.shape(0)),
                new TensorType(DataType.FLOAT32, SymbolicShape.SCALAR),
                new TensorType(DataType.UINT8, SymbolicShape.SCALAR));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        float[] x = in.tensor(0).toFloatArray();
        float low = 0;
        float high = 0;
        for (float v : x) {
            low = Math.min(low, v);
            high = Math.max(high, v);
        }
        float scale = low == high ? 1 : (high - low) / 255;
        Tensor y = Limits.allocate(in, DataType.UINT8, in.tensor(0).shape());
        Tensor scaleOut = in.allocate(DataType.FLOAT32, Shape.scalar());
        Tensor zero = in.allocate(DataType.UINT8, Shape.scalar());
        scaleOut.setDouble(0, scale);
        Quantized.store(zero, 0, -low / scale);
        double z = zero.getDouble(0);
        for (int i = 0; i < x.length; i++) {
            Quantized.store(y, i, x[i] / scale, z);
        }
        return List.of(y, scaleOut, zero);
    }
}
