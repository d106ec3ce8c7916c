package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.Arrays;
import java.util.List;

/**
 * Arithmetic as models before opset 7 broadcast it:  the axes of b line up with those of a from {@code axis} on.
 * Inputs   a, b: numeric, one type.    Output y: the type and shape of a.
 * Rules    axis + rank(b) <= rank(a).
 * Source   ONNX Add-6, Sub-6, Mul-6, Div-6, Pow-1 with attributes broadcast and axis; PRelu-6 (axis 1).
 */
public record AlignedBinary(BinaryFn fn, long axis) implements Op {
    /** True if the node lines axes up in a way that today's broadcasting does not. */
    static boolean isOldForm(OnnxNode n, BinaryFn fn) {
        return n.opset() < 7 && (fn == BinaryFn.PRELU || (n.flag("broadcast", false) && n.has("axis")));
    }

    static AlignedBinary of(OnnxNode n, BinaryFn fn) {
        return new AlignedBinary(fn, fn == BinaryFn.PRELU ? 1 : n.requireInteger("axis"));
    }

    @Override
    public OpTrait trait() {
        // The index of b is not the broadcast index, so generic elementwise passes must not touch it.
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0) == in.dtype(1), "element types differ");
        in.require(fn.accepts(in.dtype(0)), "not defined for element type " + in.dtype(0));
        if (in.shape(0).isRanked() && in.shape(1).isRanked()) {
            int rank = in.shape(0).rank();
            int own = in.shape(1).rank();
            if (own > 0 && !isOne(in)) {
                int at = in.axis(axis, rank);
                in.require(
                        at + own <= rank,
                        "input 1 of rank " + own + " does not fit in rank " + rank + " at axis " + at);
                for (int i = 0; i < own; i++) {
                    Dim x = in.shape(0).dim(at + i);
                    Dim y = in.shape(1).dim(i);
                    in.require(y.is(1) || !DimMath.clash(x, y), "dimensions " + x + " and " + y + " differ");
                }
            }
        }
        return List.of(new TensorType(in.dtype(0), in.shape(0)));
    }

    private static boolean isOne(Inference in) {
        return in.shape(1).dims().stream().allMatch(d -> d.is(1));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor a = in.tensor(0);
        Tensor b = in.tensor(1);
        if (b.size() == 1) {
            return List.of(Binary.evaluate(in, fn, a, b.reshaped(Shape.scalar())));
        }
        int at = in.axis(axis, a.shape().rank());
        in.require(at + b.shape().rank() <= a.shape().rank(), "input 1 does not fit in input 0 at axis " + at);
        long[] dims = new long[a.shape().rank() - at];
        Arrays.fill(dims, 1);
        System.arraycopy(b.shape().dims(), 0, dims, 0, b.shape().rank());
        return List.of(Binary.evaluate(in, fn, a, b.reshaped(Shape.of(dims))));
    }
}
