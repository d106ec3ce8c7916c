package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SequenceType;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * A tensor cut along an axis into a sequence.
 * Inputs   x; split: INT32 or INT64, a scalar (size of each piece, the last may be smaller) or a vector of sizes; absent for
 *          pieces of one element, which lose the axis unless {@code keepDims}.
 * Output   the sequence of pieces.
 * Rules    sizes are not negative and sum to the axis; a scalar is positive.
 * Source   ONNX SplitToSequence-24.
 */
public record SplitToSequence(long axis, boolean keepDims) implements Op {
    static final List<OpSpec> SPECS = List.of(
            OpSpec.onnx("SplitToSequence", n -> new SplitToSequence(n.integer("axis", 0), n.flag("keepdims", true))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(new SequenceType(in.tensor(0)));
        }
        List<Dim> dims = new ArrayList<>(x.dims());
        int at = in.axis(axis, x.rank());
        if (in.has(1)) {
            dims.set(at, Dim.unknown());
        } else if (keepDims) {
            dims.set(at, Dim.of(1));
        } else {
            dims.remove(at);
        }
        return List.of(new SequenceType(new TensorType(in.dtype(0), SymbolicShape.of(dims))));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        long size = x.shape().dim(at);
        List<Long> sizes = new ArrayList<>();
        if (in.has(1) && in.tensor(1).shape().rank() == 1) {
            long sum = 0;
            for (long s : in.tensor(1).toLongArray()) {
                in.require(s >= 0 && s <= size, "a piece has size " + s);
                sum += s;
                sizes.add(s);
            }
            in.require(sum == size, "the pieces sum to " + sum + " but the axis has " + size);
        } else {
            long s = in.has(1) ? in.tensor(1).getLong(0) : 1;
            in.require(s > 0, "the size of the pieces is " + s);
            for (long rest = size; rest > 0; rest -= s) {
                sizes.add(Math.min(s, rest));
            }
        }
        List<Datum> out = new ArrayList<>();
        long start = 0;
        for (long s : sizes) {
            Tensor piece = Slices.range(in, x, at, start, s);
            out.add(in.has(1) || keepDims ? piece : Slices.withoutAxis(piece, at));
            start += s;
        }
        return List.of(new TensorSequence(out));
    }
}
