package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.ValueType;
import java.util.Arrays;
import java.util.List;

/**
 * Softmax, its logarithm, or the one-hot maximum along an axis; with {@code flatten} over all axes from {@code axis} on.
 * Inputs   x: floats.    Output y: the type and shape of x.    Rules axis in [-rank, rank).
 * Numerics the reference computes in double after subtracting the row's maximum.
 * Source   ONNX Softmax-13, LogSoftmax-13, Hardmax-13; before version 13 the axes from {@code axis} (default 1) are one.
 */
public record Softmax(SoftmaxKind kind, long axis, boolean flatten) implements Op {
    static final List<OpSpec> SPECS = Arrays.stream(SoftmaxKind.values())
            .map(k -> OpSpec.onnx(k.onnxName, n -> {
                boolean old = n.opset() < 13;
                long axis = n.integer("axis", old ? 1 : -1);
                return new Softmax(k, axis, old && axis != -1);
            }))
            .toList();

    @Override
    public String name() {
        return kind.onnxName;
    }

    @Override
    public OpTrait trait() {
        return OpTrait.REDUCTION;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.require(in.dtype(0).isFloat(), "not defined for element type " + in.dtype(0));
        if (in.shape(0).isRanked()) {
            check(in, in.shape(0).rank());
        }
        return List.of(in.tensor(0));
    }

    /** Flattening may also leave nothing to the right. */
    private void check(Inference in, int rank) {
        in.require(
                axis >= -rank && (axis < rank || (flatten && axis == rank)),
                "axis " + axis + " is outside [" + -rank + ", " + (rank - 1) + "]");
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        int at = flatten && axis == rank ? rank : in.axis(axis, rank);
        boolean[] chosen = new boolean[rank];
        for (int i = at; i < (flatten ? rank : at + 1); i++) {
            chosen[i] = true;
        }
        Tensor rows = Rows.last(in, x, chosen);
        Tensor y = in.allocate(x.type(), rows.shape());
        double[] row = new double[Limits.arrayLength(in, Rows.length(x.shape(), chosen))];
        for (long from = 0; from < x.size(); from += row.length) {
            Blocks.load(rows, from, row, 0, row.length);
            kind.apply(row);
            Blocks.store(y, from, row, 0, row.length);
        }
        return List.of(flatten ? y : Rows.back(in, y, at));
    }
}
