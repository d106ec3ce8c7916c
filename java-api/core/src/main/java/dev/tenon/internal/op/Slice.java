package dev.tenon.internal.op;

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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Takes a regular part of a tensor, as Python's x[start : end : step] for each axis named.
 * Inputs   x: any type; starts, ends: integer vectors; axes (optional, by default the first ones); steps (optional, 1).
 * Output   y: the type of x.
 * Rules    the vectors have one length; steps are not 0; an axis is named once.  Starts and ends beyond the tensor are
 *          clamped, negative ones count from the end.
 * Source   ONNX Slice-13; before version 10 starts, ends and axes are attributes.
 */
public record Slice() implements Op {
    static final List<OpSpec> SPECS = List.of(OpSpec.onnx("Slice", n -> {
        if (n.opset() < 10) {
            n.constantInput(1, n.integers("starts"));
            n.constantInput(2, n.integers("ends"));
            if (n.has("axes")) {
                n.constantInput(3, n.integers("axes"));
            }
        }
        return new Slice();
    }));

    /** What is taken along one axis. */
    private record Cut(long start, long step, long count) {
        static Cut of(long start, long end, long step, long n) {
            long from = clamp(start, n, step);
            long to = clamp(end, n, step);
            long span = step > 0 ? to - from : from - to;
            if (span <= 0) {
                return new Cut(0, 1, 0);
            }
            // Long.MIN_VALUE has no opposite; any step that large takes one element.
            long stride = step == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(step);
            return new Cut(from, step, (span - 1) / stride + 1);
        }

        private static long clamp(long i, long n, long step) {
            long at = i < 0 ? i + n : i;
            return step > 0 ? Math.clamp(at, 0, n) : Math.clamp(at, -1, n - 1);
        }
    }

    /** Where each axis of the input begins to be read, and in which steps. */
    public record Positions(long[] starts, long[] steps) {
        /**
         * The positions for constant arguments that shape inference has accepted.
         *
         * @param axes null for the first ones
         * @param steps null for steps of 1
         */
        public static Positions of(
                Shape x, long[] starts, long[] ends, long @Nullable [] axes, long @Nullable [] steps) {
            long[] from = new long[x.rank()];
            long[] by = new long[x.rank()];
            Arrays.fill(by, 1);
            for (int i = 0; i < starts.length; i++) {
                long axis = axes == null ? i : axes[i];
                int at = (int) (axis < 0 ? axis + x.rank() : axis);
                Cut cut = Cut.of(starts[i], ends[i], steps == null ? 1 : steps[i], x.dim(at));
                from[at] = cut.start();
                by[at] = cut.count() > 1 ? cut.step() : 1;
            }
            return new Positions(from, by);
        }
    }

    @Override
    public OpTrait trait() {
        return OpTrait.DATA_MOVEMENT;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        if (!x.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        Optional<long[]> axes = in.longs(3);
        Optional<List<Dim>> starts = in.dims(1);
        Optional<List<Dim>> ends = in.dims(2);
        Optional<List<Dim>> steps = in.dims(4);
        if (in.has(3) && axes.isEmpty()) {
            return List.of(new TensorType(in.dtype(0), SymbolicShape.ofRank(x.rank())));
        }
        int count = axes.map(a -> a.length)
                .or(() -> starts.map(List::size))
                .or(() -> ends.map(List::size))
                .orElse(
                        in.shape(1).isRanked()
                                        && in.shape(1).rank() == 1
                                        && in.shape(1).dim(0).isKnown()
                                ? (int) Math.min(in.shape(1).size(0), Integer.MAX_VALUE)
                                : x.rank());
        in.require(count <= x.rank(), count + " axes are sliced of rank " + x.rank());
        in.require(
                starts.map(List::size).orElse(count) == count
                        && ends.map(List::size).orElse(count) == count
                        && steps.map(List::size).orElse(count) == count,
                "starts, ends, axes and steps differ in length");
        long[] first = LongStream.range(0, count).toArray();
        int[] at = Axes.normalize(in, axes.orElse(first), x.rank());
        List<Dim> out = new ArrayList<>(x.dims());
        for (int i = 0; i < count; i++) {
            Dim step = steps.isPresent() ? steps.get().get(i) : in.has(4) ? Dim.unknown() : Dim.of(1);
            in.require(!step.is(0), "step 0");
            out.set(
                    at[i],
                    size(
                            x.dim(at[i]),
                            starts.isPresent() ? starts.get().get(i) : Dim.unknown(),
                            ends.isPresent() ? ends.get().get(i) : Dim.unknown(),
                            step));
        }
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    private static Dim size(Dim n, Dim start, Dim end, Dim step) {
        if (start instanceof Dim.Known(long s) && step instanceof Dim.Known(long t)) {
            if (end instanceof Dim.Known(long e)) {
                if (n instanceof Dim.Known(long size)) {
                    return Dim.of(Cut.of(s, e, t, size).count());
                }
                if (t == 1 && s == 0 && e >= Integer.MAX_VALUE) {
                    return n;
                }
                if (t == 1 && s < 0 && e < 0 && s >= e) {
                    return Dim.of(0);
                }
            } else if (t == 1 && s == 0) {
                // [0 : size] of a dimension at least as large: exporters cut so to sizes they know.
                return end.equals(n) ? n : Dim.unknown();
            }
        }
        return Dim.unknown();
    }

    @Override
    public Optional<List<Dim>> inferDims(Inference in) {
        Optional<List<Dim>> x = in.dims(0);
        Optional<long[]> start = in.longs(1);
        Optional<long[]> end = in.longs(2);
        Optional<long[]> step = in.has(4) ? in.longs(4) : Optional.of(new long[] {1});
        if (x.isEmpty()
                || start.isEmpty()
                || end.isEmpty()
                || step.isEmpty()
                || !in.shape(0).isRanked()
                || in.shape(0).rank() != 1
                || start.get().length != 1
                || end.get().length != 1
                || step.get().length != 1) {
            return Optional.empty();
        }
        Cut cut = Cut.of(start.get()[0], end.get()[0], step.get()[0], x.get().size());
        List<Dim> out = new ArrayList<>();
        for (long i = 0; i < cut.count(); i++) {
            out.add(x.get().get((int) (cut.start() + i * cut.step())));
        }
        return Optional.of(out);
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        int rank = x.shape().rank();
        long[] starts = in.tensor(1).toLongArray();
        long[] ends = in.tensor(2).toLongArray();
        int count = starts.length;
        in.require(count <= rank, count + " axes are sliced of rank " + rank);
        long[] named = in.has(3)
                ? in.tensor(3).toLongArray()
                : LongStream.range(0, count).toArray();
        long[] steps = in.has(4) ? in.tensor(4).toLongArray() : new long[count];
        if (!in.has(4)) {
            Arrays.fill(steps, 1);
        }
        in.require(
                ends.length == count && named.length == count && steps.length == count,
                "starts, ends, axes and steps differ in length");
        int[] axes = Axes.normalize(in, named, rank);
        long[] dims = x.shape().dims();
        long[] strides = x.shape().strides();
        long from = 0;
        for (int i = 0; i < count; i++) {
            in.require(steps[i] != 0, "step 0 at axis " + axes[i]);
            Cut cut = Cut.of(starts[i], ends[i], steps[i], dims[axes[i]]);
            dims[axes[i]] = cut.count();
            from += cut.start() * strides[axes[i]];
            strides[axes[i]] = cut.count() > 1 ? strides[axes[i]] * cut.step() : 1;
        }
        Tensor y = in.allocate(x.type(), dims);
        Strided.copy(dims, x, from, strides, y, 0, y.shape().strides());
        return List.of(y);
    }
}
