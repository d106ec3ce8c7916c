package dev.tenon.internal.op;

import dev.tenon.DataType;
import dev.tenon.Datum;
import dev.tenon.Shape;
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
import java.util.List;
import java.util.Optional;

/**
 * Puts pooled maxima back where they came from; zero elsewhere.
 * Inputs   x [N, C, spatial...]: float; indices: INT64 as {@link MaxPool} gives them; outputShape: INT64 [rank] or absent.
 * Output   y of outputShape, else of sizes (in - 1) s - pads + kernel.
 * Rules    indices has x's shape and points into the output of the window's own size.
 * Source   ONNX MaxUnpool-22.
 */
public record MaxUnpool(Window window) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("MaxUnpool", n -> new MaxUnpool(Window.read(n))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        in.requireType(1, DataType.INT64);
        SymbolicShape x = in.shape(0);
        int rank = window.kernel().size() + 2;
        in.require(!x.isRanked() || x.rank() == rank, "x has shape " + x + " but kernel_shape is " + window.kernel());
        Window.guard(in, () -> window.checkRank(rank - 2));
        if (in.has(2)) {
            Optional<List<Dim>> dims = in.dims(2);
            return List.of(new TensorType(
                    in.dtype(0), dims.isPresent() ? SymbolicShape.of(dims.get()) : SymbolicShape.ofRank(rank)));
        }
        List<Dim> out = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
            long size = x.isRanked() ? x.size(i) : -1;
            out.add(i < 2 && x.isRanked() ? x.dim(i) : size < 0 || i < 2 ? Dim.unknown() : Dim.of(size(size, i - 2)));
        }
        in.require(out.stream().noneMatch(d -> d.isKnown() && d.sizeOrMinusOne() < 0), "pads exceed the output");
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    private long size(long input, int axis) {
        return (input - 1) * window.stride(axis)
                - window.padBegin(axis)
                - window.padEnd(axis)
                + window.kernel().get(axis);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Tensor indices = in.tensor(1);
        in.require(indices.shape().equals(x.shape()), "indices have shape " + indices.shape());
        in.require(x.shape().rank() == window.kernel().size() + 2, "kernel_shape does not fit shape " + x.shape());
        long[] own = x.shape().dims();
        for (int i = 2; i < own.length; i++) {
            own[i] = size(own[i], i - 2);
        }
        long[] dims = in.has(2) ? in.tensor(2).toLongArray() : own;
        in.require(dims.length == own.length, "the output shape has " + dims.length + " dimensions");
        Shape from = Limits.shape(in, own);
        Tensor y = Limits.allocate(in, x.type(), dims);
        long[] index = new long[own.length];
        long[] strides = y.shape().strides();
        for (long i = 0, n = x.size(); i < n; i++) {
            long flat = indices.getLong(i);
            in.require(flat >= 0 && flat < from.elements(), "index " + flat + " is outside shape " + from);
            long to = 0;
            boolean inside = true;
            for (int a = own.length - 1; a >= 0; a--) {
                index[a] = flat % own[a];
                flat /= own[a];
                inside &= index[a] < dims[a];
                to += index[a] * strides[a];
            }
            in.require(inside, "an index lies outside the output shape " + y.shape());
            y.setFrom(to, x, i);
        }
        return List.of(y);
    }
}
