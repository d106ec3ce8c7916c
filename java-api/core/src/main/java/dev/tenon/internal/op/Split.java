package dev.tenon.internal.op;

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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Cuts a tensor along an axis.
 * Inputs   x: any type; sizes (optional): INT64 vector, by default equal parts, the last one smaller.
 * Outputs  the parts.
 * Rules    the sizes are not negative and sum to the dimension; there are as many as outputs.
 * Source   ONNX Split-18; before version 13 sizes is an attribute.
 */
public record Split(long axis, long parts) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Split", n -> {
        if (n.opset() < 13 && n.has("split")) {
            n.constantInput(1, n.integers("split"));
        }
        if (n.has("num_outputs") && n.integer("num_outputs", 0) != n.outputCount()) {
            throw n.error(
                    "num_outputs is " + n.integer("num_outputs", 0) + "; the node has " + n.outputCount() + " outputs");
        }
        return new Split(n.integer("axis", 0), n.outputCount());
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    /** Sizes of equal parts: all rounded up, the last one with what is left. */
    private List<Long> equal(long n) {
        long each = n / parts + (n % parts == 0 ? 0 : 1);
        List<Long> sizes = new ArrayList<>();
        for (long i = 0; i < parts; i++) {
            sizes.add(Math.clamp(n - i * each, 0, each));
        }
        return sizes;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        int outputs = in.outputCount();
        in.require(parts > 0, "there is no output");
        SymbolicShape x = in.shape(0);
        int at = x.isRanked() ? in.axis(axis, x.rank()) : 0;
        Dim whole = x.isRanked() ? x.dim(at) : Dim.unknown();
        Optional<List<Dim>> given = in.dims(1);
        given.ifPresent(sizes -> {
            in.require(sizes.size() == outputs, sizes.size() + " sizes are given for " + outputs + " outputs");
            long sum = 0;
            boolean known = true;
            for (Dim d : sizes) {
                if (d instanceof Dim.Known(long size)) {
                    in.require(size >= 0 && size <= Long.MAX_VALUE - sum, "size " + size + " is not possible");
                    sum += size;
                } else {
                    known = false;
                }
            }
            in.require(!known || !whole.isKnown() || whole.is(sum), "the sizes " + sizes + " do not sum to " + whole);
        });
        List<Long> equal = !in.has(1) && whole instanceof Dim.Known(long n) ? equal(n) : null;
        List<ValueType> types = new ArrayList<>();
        for (int i = 0; i < outputs; i++) {
            Dim d = given.isPresent() ? given.get().get(i) : equal != null ? Dim.of(equal.get(i)) : Dim.unknown();
            types.add(new TensorType(in.dtype(0), x.isRanked() ? x.withDim(at, d) : x));
        }
        return types;
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int at = in.axis(axis, x.shape().rank());
        long n = x.shape().dim(at);
        in.require(parts > 0, "there is no output");
        List<Long> sizes =
                in.has(1) ? Arrays.stream(in.tensor(1).toLongArray()).boxed().toList() : equal(n);
        in.require(
                !in.has(1) || sizes.size() == in.outputCount(),
                sizes.size() + " sizes are given for " + in.outputCount() + " outputs");
        long left = n;
        for (long size : sizes) {
            in.require(size >= 0 && size <= left, "the sizes " + sizes + " do not sum to " + n);
            left -= size;
        }
        in.require(left == 0, "the sizes " + sizes + " do not sum to " + n);
        long[] strides = x.shape().strides();
        List<Datum> out = new ArrayList<>();
        long from = 0;
        for (int i = 0; i < in.outputCount(); i++) {
            long[] dims = x.shape().dims();
            dims[at] = sizes.get(i);
            Tensor y = in.allocate(x.type(), dims);
            Strided.copy(dims, x, from * strides[at], strides, y, 0, y.shape().strides());
            out.add(y);
            from += sizes.get(i);
        }
        return out;
    }
}
