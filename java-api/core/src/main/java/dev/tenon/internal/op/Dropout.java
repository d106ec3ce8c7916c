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
 * Dropout as inference has it:  y = x, and a mask of what was kept.
 * Inputs   x: floats; ratio (optional): a scalar; training (optional): BOOL scalar.    Outputs y: x; mask (optional): BOOL,
 *          all true (before version 10 it has the type of x, all ones).
 * Rules    training mode drops nothing only with ratio 0; with any other ratio it is refused, as its output is random.
 * Source   ONNX Dropout-22; until version 6 attribute is_test says whether the model is for inference.
 */
public record Dropout(boolean booleanMask) implements Op {
    private static final double DEFAULT_RATIO = 0.5;

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Dropout", n -> {
        if (n.opset() < 7 && !n.flag("is_test", false) && n.real("ratio", (float) DEFAULT_RATIO) != 0) {
            throw n.error("the node is in training mode (is_test is 0); export the model for inference");
        }
        return new Dropout(n.opset() >= 10);
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        TensorType x = in.tensor(0);
        return List.of(x, new TensorType(booleanMask ? DataType.BOOL : x.dtype(), x.shape()));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        if (in.has(2) && in.tensor(2).size() == 1 && in.tensor(2).getBoolean(0)) {
            double ratio = in.has(1) ? in.tensor(1).getDouble(0) : DEFAULT_RATIO;
            in.require(ratio == 0, "training mode with ratio " + ratio + " is random; export the model for inference");
        }
        Tensor x = in.tensor(0);
        Tensor mask =
                in.allocate(booleanMask ? DataType.BOOL : x.type(), in.wants(1) ? x.shape() : dev.tenon.Shape.of(0));
        for (long i = 0; i < mask.size(); i++) {
            mask.setLong(i, 1);
        }
        return List.of(x, mask);
    }
}
