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
import java.util.List;

/**
 * Samples a tensor where a grid points:  y[n, c, p] = x[n, c] at grid[n, p], whose last axis holds x, y (, z) in [-1, 1].
 * Inputs   x [N, C, in...]; grid [N, out..., R] for R spatial axes.    Output y [N, C, out...], x's type.
 * Rules    rank(grid) = rank(x) = R + 2; batch sizes agree.
 * Numerics the reference computes in double.
 * Source   ONNX GridSample-22.
 *
 * @param alignCorners -1 and 1 are the centres of the outer elements instead of their outer edges
 */
public record GridSample(Resize.Mode mode, Padding padding, boolean alignCorners) implements Op {
    /** What lies outside. */
    public enum Padding {
        ZEROS,
        BORDER,
        REFLECTION
    }

    static final List<OpSpec> SPECS = List.of(OpSpec.onnx(
            "GridSample",
            n -> new GridSample(
                    switch (n.text("mode", "linear")) {
                        case "linear", "bilinear" -> Resize.Mode.LINEAR;
                        case "cubic", "bicubic" -> Resize.Mode.CUBIC;
                        case "nearest" -> Resize.Mode.NEAREST;
                        default -> throw n.error("mode '" + n.text("mode", "") + "' is not known");
                    },
                    switch (n.text("padding_mode", "zeros")) {
                        case "zeros" -> Padding.ZEROS;
                        case "border" -> Padding.BORDER;
                        case "reflection" -> Padding.REFLECTION;
                        default -> throw n.error("padding_mode '" + n.text("padding_mode", "") + "' is not known");
                    },
                    n.flag("align_corners", false))));

    @Override
    public OpTrait trait() {
        return OpTrait.OPAQUE;
    }

    @Override
    public List<ValueType> infer(Inference in) {
        SymbolicShape x = in.shape(0);
        SymbolicShape grid = in.shape(1);
        if (!x.isRanked() && !grid.isRanked()) {
            return List.of(TensorType.unranked(in.dtype(0)));
        }
        int rank = x.isRanked() ? x.rank() : grid.rank();
        in.require(rank >= 3, "x has rank " + rank + "; expected batch, channels and a spatial axis");
        in.require(!x.isRanked() || !grid.isRanked() || grid.rank() == rank, "x and the grid have different ranks");
        SymbolicShape xs = x.isRanked() ? x : SymbolicShape.ofRank(rank);
        SymbolicShape gs = grid.isRanked() ? grid : SymbolicShape.ofRank(rank);
        in.require(
                gs.size(-1) < 0 || gs.size(-1) == rank - 2,
                "the grid has shape " + gs + "; its last axis must have " + (rank - 2) + " elements");
        in.require(xs.size(0) < 0 || gs.size(0) < 0 || xs.size(0) == gs.size(0), "batch sizes differ");
        List<Dim> out = new ArrayList<>(List.of(xs.dim(0), xs.dim(1)));
        out.addAll(gs.dims().subList(1, rank - 1));
        return List.of(new TensorType(in.dtype(0), SymbolicShape.of(out)));
    }

    @Override
    public List<Datum> evaluate(Evaluation in) {
        Tensor x = in.tensor(0);
        Shape xs = x.shape();
        Shape gs = in.tensor(1).shape();
        int rank = xs.rank() - 2;
        in.require(
                rank >= 1 && gs.rank() == xs.rank() && gs.dim(-1) == rank && gs.dim(0) == xs.dim(0),
                "the grid of shape " + gs + " does not fit x of shape " + xs);
        long[] dims = xs.dims();
        System.arraycopy(gs.dims(), 1, dims, 2, rank);
        Tensor y = Limits.allocate(in, x.type(), dims);
        double[] v = x.toDoubleArray();
        double[] grid = in.tensor(1).toDoubleArray();
        long[] sizes = Conv.spatial(xs);
        int plane = (int) Shape.of(sizes).elements();
        in.require(plane > 0 || y.size() == 0, "x has no elements to sample");
        int points = (int) gs.product(1, rank + 1);
        int channels = (int) xs.dim(1);
        double[] at = new double[rank];
        for (int n = 0; n < xs.dim(0); n++) {
            for (int p = 0; p < points; p++) {
                for (int a = 0; a < rank; a++) {
                    at[a] = locate(grid[(n * points + p) * rank + rank - 1 - a], sizes[a]);
                }
                for (int c = 0; c < channels; c++) {
                    int base = (n * channels + c) * plane;
                    y.setDouble((long) (n * channels + c) * points + p, sample(v, base, 0, 0, at, sizes));
                }
            }
        }
        return List.of(y);
    }

    private double locate(double g, long size) {
        double x = alignCorners ? (g + 1) / 2 * (size - 1) : ((g + 1) * size - 1) / 2;
        if (mode == Resize.Mode.NEAREST) {
            x = Math.rint(x);
        }
        double low = alignCorners ? 0 : -0.5;
        double high = alignCorners ? size - 1 : size - 0.5;
        if (x >= low && x <= high) {
            return x;
        }
        return switch (padding) {
            case ZEROS -> x;
            case BORDER -> Math.min(Math.max(x, 0), size - 1);
            case REFLECTION -> reflect(x, low, high);
        };
    }

    private static double reflect(double x, double low, double high) {
        double range = high - low;
        if (range <= 0 || Double.isNaN(x) || Double.isInfinite(x)) {
            return low;
        }
        double distance = Math.abs(x - low) % (2 * range);
        return low + (distance <= range ? distance : 2 * range - distance);
    }

    /** Interpolates along axis {@code a} and all after it. */
    private double sample(double[] v, int base, int a, long offset, double[] at, long[] sizes) {
        if (a == at.length) {
            return v[base + (int) offset];
        }
        double x = at[a];
        if (mode == Resize.Mode.NEAREST) {
            return tap(v, base, a, offset, at, sizes, x);
        }
        double floor = Math.floor(x);
        int reach = mode == Resize.Mode.LINEAR ? 1 : 2;
        double sum = 0;
        for (int k = 1 - reach; k <= reach; k++) {
            double distance = Math.abs(x - floor - k);
            double w = mode == Resize.Mode.LINEAR ? 1 - distance : ResizeAxis.cubic(distance, -0.75);
            if (w != 0) {
                sum += w * tap(v, base, a, offset, at, sizes, floor + k);
            }
        }
        return sum;
    }

    private double tap(double[] v, int base, int a, long offset, double[] at, long[] sizes, double position) {
        double p = position;
        if (!(p >= 0 && p <= sizes[a] - 1)) {
            switch (padding) {
                case ZEROS -> {
                    return 0;
                }
                case BORDER -> p = Math.min(Math.max(p, 0), sizes[a] - 1);
                case REFLECTION -> {
                    p = reflect(p, alignCorners ? 0 : -0.5, alignCorners ? sizes[a] - 1 : sizes[a] - 0.5);
                    p = Math.min(Math.max(Math.rint(p), 0), sizes[a] - 1);
                }
            }
        }
        return sample(v, base, a + 1, offset * sizes[a] + (long) p, at, sizes);
    }
}
