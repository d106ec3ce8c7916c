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

/**
 * The same bits read as another type.
 * Inputs   x: any type but text.    Output y: element type {@code to}, the shape of x.
 * Rules    both types have the same number of bits.
 * Source   ONNX BitCast-26.
 */
public record BitCast(DataType to) implements Op {
    static final List<OpSpec> SPECS =
            List.of(OpSpec.onnx("BitCast", n -> new BitCast(DataType.ofCode(n.requireInteger("to")))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        DataType from = in.dtype(0);
        in.require(
                from != DataType.STRING && to != DataType.STRING && from.bits() == to.bits(),
                "the bits of " + from + " cannot be read as " + to + ": the types must have the same size");
        return List.of(new TensorType(to, in.shape(0)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        if (x.type() == to) {
            return List.of(x);
        }
        if (to != DataType.BOOL) {
            return List.of(Tensor.of(x.segment(), to, x.shape()));
        }
        Tensor y = in.allocate(to, x.shape());
        for (long i = 0; i < x.size(); i++) {
            y.setBoolean(i, x.getLong(i) != 0);
        }
        return List.of(y);
    }
}
