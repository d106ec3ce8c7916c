package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.List;

/**
 * The positions of elements that are not zero, in row-major order.
 * Inputs   x: any numeric type, BOOL or text (not empty).    Output y: INT64 [rank, count]; a scalar counts as one element.
 * Source   ONNX NonZero-13.
 */
public record NonZero() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("NonZero", n -> new NonZero()));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(!in.dtype(0).isComplex(), "not supported for element type " + in.dtype(0));
        SymbolicShape x = in.shape(0);
        return List.of(new TensorType(
                DataType.INT64, SymbolicShape.of(x.isRanked() ? Dim.of(x.rank()) : Dim.unknown(), Dim.unknown())));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        long count = 0;
        for (long i = 0; i < x.size(); i++) {
            count += isSet(x, i) ? 1 : 0;
        }
        int rank = x.shape().rank();
        Tensor y = Limits.allocate(in, DataType.INT64, rank, count);
        long[] strides = x.shape().strides();
        long k = 0;
        for (long i = 0; i < x.size(); i++) {
            if (isSet(x, i)) {
                for (int d = 0; d < rank; d++) {
                    y.setLong(d * count + k, i / strides[d] % x.shape().dim(d));
                }
                k++;
            }
        }
        return List.of(y);
    }

    private static boolean isSet(Tensor x, long i) {
        if (x.type() == DataType.STRING) {
            return !x.getString(i).isEmpty();
        }
        return Blocks.asLongs(x.type()) ? x.getLong(i) != 0 : x.getDouble(i) != 0;
    }
}
