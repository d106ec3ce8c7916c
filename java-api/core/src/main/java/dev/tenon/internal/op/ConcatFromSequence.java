package dev.tenon.internal.op;

import dev.tenon.Datum;
import dev.tenon.Shape;
import dev.tenon.Tensor;
import dev.tenon.TensorSequence;
import dev.tenon.internal.ir.Dim;
import dev.tenon.internal.ir.Evaluation;
import dev.tenon.internal.ir.Inference;
import dev.tenon.internal.ir.Op;
import dev.tenon.internal.ir.OpTrait;
import dev.tenon.internal.ir.SymbolicShape;
import dev.tenon.internal.ir.TensorType;
import dev.tenon.internal.ir.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * The elements of a sequence joined along an axis, or along a new one if {@code newAxis}.
 * Inputs   a sequence of at least one tensor.    Output a tensor.
 * Rules    the tensors agree in rank and all other dimensions; in all if {@code newAxis}.
 * Source   ONNX ConcatFromSequence-11.
 */
public record ConcatFromSequence(long axis, boolean newAxis) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "ConcatFromSequence", n -> new ConcatFromSequence(n.requireInteger("axis"), n.flag("new_axis", false))));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        TensorType e = SequenceTypes.tensor(in, 0);
        if (!e.shape().isRanked()) {
            return List.of(e);
        }
        List<Dim> dims = new ArrayList<>(e.shape().dims());
        if (newAxis) {
            dims.add(in.axis(axis, dims.size() + 1), Dim.unknown());
        } else {
            dims.set(in.axis(axis, dims.size()), Dim.unknown());
        }
        return List.of(new TensorType(e.dtype(), SymbolicShape.of(dims)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        TensorSequence s = in.sequence(0);
        in.require(s.size() > 0, "cannot join an empty sequence");
        Tensor first = s.tensor(0);
        int at = in.axis(axis, first.shape().rank() + (newAxis ? 1 : 0));
        if (newAxis) {
            Stack stack = new Stack();
            s.items().forEach(t -> stack.add(in, t));
            return List.of(stack.join(in, TensorType.of(first.type(), first.shape()), at, false));
        }
        long[] dims = first.shape().dims();
        dims[at] = 0;
        for (int i = 0; i < s.size(); i++) {
            Shape shape = s.tensor(i).shape();
            in.require(shape.rank() == dims.length && s.tensor(i).type() == first.type(), "elements do not fit");
            for (int d = 0; d < dims.length; d++) {
                in.require(d == at || shape.dim(d) == dims[d], "shapes " + first.shape() + " and " + shape + " differ");
            }
            dims[at] += shape.dim(at);
        }
        Tensor y = Limits.allocate(in, first.type(), dims);
        long inner = y.shape().product(at + 1, dims.length);
        long outer = y.shape().product(0, at);
        long begin = 0;
        for (int i = 0; i < s.size(); i++) {
            long n = s.tensor(i).shape().dim(at) * inner;
            for (long o = 0; o < outer; o++) {
                Slices.copy(s.tensor(i), o * n, y, o * dims[at] * inner + begin, n);
            }
            begin += n;
        }
        return List.of(y);
    }
}
