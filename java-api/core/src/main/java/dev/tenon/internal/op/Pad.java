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
import java.util.stream.LongStream;

/**
 * Adds elements before and after each axis; negative amounts cut.
 * Inputs   x: any type; pads: INT64 vector, first all amounts before, then all after; value (optional): a scalar of the type
 *          of x; axes (optional): the axes that pads is for, by default all.
 * Output   y: the type of x.
 * Rules    two pads for each axis; no dimension becomes negative; only an axis with elements can be mirrored, repeated or
 *          extended.
 * Source   ONNX Pad-25; before version 11 pads and value are attributes.
 */
public record Pad(PadMode mode) implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Pad", n -> {
        PadMode mode = switch (n.text("mode", "constant")) {
            case "constant" -> PadMode.CONSTANT;
            case "reflect" -> PadMode.REFLECT;
            case "edge" -> PadMode.EDGE;
            case "wrap" -> PadMode.WRAP;
            default ->
                throw n.error("attribute 'mode' is '" + n.text("mode", "")
                        + "'; expected 'constant', 'reflect', 'edge' or 'wrap'");
        };
        if (n.opset() < 11) {
            n.constantInput(1, n.integers(n.opset() < 2 ? "paddings" : "pads"));
            if (n.real("value", 0) != 0) {
                n.constantScalar(2, DataType.FLOAT32, n.real("value", 0));
            }
        }
        return new Pad(mode);
    }));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        int rank = x.rank();
        Optional<List<Dim>> pads = in.dims(1);
        Optional<long[]> axes =
                in.has(3) ? in.longs(3) : Optional.of(LongStream.range(0, rank).toArray());
        if (pads.isEmpty() || axes.isEmpty()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(rank)));
        }
        int[] at = Axes.normalize(in, axes.get(), rank);
        in.require(pads.get().size() == 2 * at.length, pads.get().size() + " pads for " + at.length + " axes");
        List<Dim> out = new ArrayList<>(x.dims());
        for (int i = 0; i < at.length; i++) {
            Dim d = DimMath.add(
                    DimMath.add(x.dim(at[i]), pads.get().get(i)), pads.get().get(at.length + i));
            in.require(!(d instanceof Dim.Known(long n)) || n >= 0, "axis " + at[i] + " becomes " + d);
            out.set(at[i], d);
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        long[] pads = in.tensor(1).toLongArray();
        int[] axes = Axes.normalize(
                in,
                in.has(3)
                        ? in.tensor(3).toLongArray()
                        : LongStream.range(0, rank).toArray(),
                rank);
        in.require(pads.length == 2 * axes.length, pads.length + " pads for " + axes.length + " axes");
        long[] before = new long[rank];
        long[] dims = x.shape().dims();
        for (int i = 0; i < axes.length; i++) {
            long n = dims[axes[i]];
            long low = pads[i];
            long high = pads[axes.length + i];
            // Bounds that keep the sums in range; anything larger is refused by its size anyway.
            in.require(
                    Math.abs(low) >= 0 && Math.abs(low) < 1L << 60 && Math.abs(high) >= 0 && Math.abs(high) < 1L << 60,
                    "a pad is out of range");
            before[axes[i]] = low;
            dims[axes[i]] = n + low + high;
            in.require(dims[axes[i]] >= 0, "axis " + axes[i] + " becomes " + dims[axes[i]]);
            in.require(
                    mode == PadMode.CONSTANT || n > 0 || dims[axes[i]] == 0,
                    "axis " + axes[i] + " has no elements to pad with");
        }
        Tensor y = Limits.allocate(in, x.type(), dims);
        if (mode == PadMode.CONSTANT) {
            fill(in, y);
            center(x, y, before);
        } else if (y.size() > 0) {
            extend(x, y, before);
        }
        return List.of(y);
    }

    private static void fill(Evaluation in, Tensor y) {
        if (in.has(2) && in.tensor(2).size() > 0) {
            Tensor value = in.tensor(2);
            in.require(value.size() == 1, "the value must be one element");
            if (value.type() != y.type()) {
                // Old models give the value as an attribute, which is a float.
                value = Conversion.nearest(y.type()).apply(in, value);
            }
            Strided.copy(new long[] {y.size()}, value, 0, new long[] {0}, y, 0, new long[] {1});
        }
    }

    /** Copies what stays of x. */
    private static void center(Tensor x, Tensor y, long[] before) {
        long[] xs = x.shape().strides();
        long[] ys = y.shape().strides();
        long[] dims = new long[before.length];
        long from = 0;
        long to = 0;
        for (int d = 0; d < dims.length; d++) {
            long first = Math.max(0, -before[d]);
            long last = Math.min(x.shape().dim(d), y.shape().dim(d) - before[d]);
            dims[d] = Math.max(0, last - first);
            from += first * xs[d];
            to += (first + before[d]) * ys[d];
        }
        Strided.copy(dims, x, from, xs, y, to, ys);
    }

    private void extend(Tensor x, Tensor y, long[] before) {
        Shape s = y.shape();
        int rank = s.rank();
        long[] strides = x.shape().strides();
        long[][] offsets = new long[rank][];
        for (int d = 0; d < rank; d++) {
            offsets[d] = new long[Math.toIntExact(s.dim(d))];
            for (int i = 0; i < offsets[d].length; i++) {
                offsets[d][i] = mode.source(i - before[d], x.shape().dim(d)) * strides[d];
            }
        }
        int[] index = new int[rank];
        for (long k = 0, n = s.elements(); k < n; k++) {
            long from = 0;
            for (int d = 0; d < rank; d++) {
                from += offsets[d][index[d]];
            }
            y.setFrom(k, x, from);
            for (int d = rank - 1; d >= 0 && ++index[d] == offsets[d].length; d--) {
                index[d] = 0;
            }
        }
    }
}
